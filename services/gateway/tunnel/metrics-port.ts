/** cloudflared's metrics port: what it says of itself over HTTP. */

/** `https://` before a bare name, as cloudflared itself reads it. */
export const originOf = (hostname: string): string =>
  new URL(/^https?:\/\//.test(hostname) ? hostname : `https://${hostname}`).origin;

/** Null while nobody answers there. */
export const ask = async (url: string): Promise<Response | null> => {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(3_000) });
  } catch {
    return null; // it is not up yet, or not any more; its end is watched elsewhere
  }
};
