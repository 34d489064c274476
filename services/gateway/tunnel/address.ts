/** Where the gateway listens on all addresses, the machine itself, cloudflared included, reaches it by loopback. */
const loopbackOf: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** The gateway's own address, `http://127.0.0.1:8080`: for people of its machine, and what a tunnel leads to. */
export const addressOf = (bind: string, port: number): string => {
  const host = loopbackOf[bind] ?? bind;
  return new URL(`http://${host.includes(':') ? `[${host}]` : host}:${port}`).origin;
};
