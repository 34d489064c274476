import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';

/** What a VM reaches, tried from inside as its tenant could. */

/** An address and a port of TCP, such as `10.0.0.1:22` or `[fd00::1]:22`. */
export type Target = string;

/** The end of each try: `open`, `silence` after three seconds, or the name of the error, such as ECONNREFUSED. */
const program = `
import errno, json, socket, sys, concurrent.futures
def knock(target):
    address, port = target.rsplit(':', 1)
    try:
        socket.create_connection((address.strip('[]'), int(port)), 3).close()
        return 'open'
    except socket.timeout:
        return 'silence'
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
targets = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    print(json.dumps(dict(zip(targets, pool.map(knock, targets)))))`;

export const reach = async (
  docker: Docker,
  containerId: string,
  targets: readonly Target[],
): Promise<Record<Target, string>> => {
  const exec = await docker.getContainer(containerId).exec({
    Cmd: ['python3', '-c', program, JSON.stringify(targets)],
    Tty: true, // one stream without frames
    AttachStdout: true,
    AttachStderr: true,
  });
  return JSON.parse(await text(await exec.start({ Tty: true }))) as Record<Target, string>;
};

/** The same end for all of them. */
export const allOf = (targets: readonly Target[], end: string): Record<Target, string> =>
  Object.fromEntries(targets.map((target) => [target, end]));

/** Something that listens on an address of this machine until it is closed. */
export const listenOn = async (address: string): Promise<{ target: Target; close(): Promise<void> }> => {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy()); // whoever only knocks leaves before the answer
    socket.end('here');
  }).listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    target: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
};
