import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { containerOptions } from '../../services/worker/docker/container-options.ts';
import type { Berth } from '../../tests/support/berth.ts';
import { docker } from '../../tests/support/docker.ts';
import { timeUntil } from './chat.ts';

/** The same container as Berth makes, made by dockerode alone; and a command run by it alone. */

export const benchFirstPort = 26_000;
const gib = 1024 ** 3;
const limits = { memoryBytes: 2 * gib, cpus: 1, diskBytes: 100 * gib, gpu: false };

/**
 * Whether one connection brings the banner soon. Docker's proxy accepts before the container can be reached; such
 * a connection hangs for a second, so it is left for a new one.
 */
const knock = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 60 });
    const end = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('data', (piece) => end(piece.toString('latin1').startsWith('SSH-')));
    for (const failure of ['error', 'close', 'timeout']) socket.once(failure, () => end(false));
  });

/** Resolves at the banner; looks every few milliseconds, the same for Berth and for Docker alone. */
export const banner = async (port: number): Promise<void> => {
  while (!(await knock(port))) await pause(5);
};

/** Milliseconds until the banner of a container that dockerode creates and starts. It is removed again. */
export const createDirectly = async ({ instance }: Berth, round: number): Promise<number> => {
  const port = benchFirstPort + 500 + round;
  const options = containerOptions({
    instance,
    vmId: `direct${round}`,
    owner: 1,
    name: 'box',
    image: process.env.VM_IMAGE || 'berth-vm:latest',
    runtime: 'runc',
    networkId: instance,
    bindAddress: '127.0.0.1',
    sshPort: port,
    limits,
    hostCpus: 1,
  });
  const begun = performance.now();
  const container = await docker.createContainer(options);
  await container.start();
  await banner(port);
  const took = performance.now() - begun;
  await container.remove({ force: true });
  await docker.getVolume(options.name).remove();
  return took;
};

const countStarted = (berth: Berth): number =>
  berth
    .workers()
    .flatMap((worker) => worker.lines())
    .filter(({ msg }) => msg === 'container started').length;

/** Milliseconds of `/create` until the banner and until the final message. The VM is destroyed again. */
export const createByChat = async (
  berth: Berth,
  personId: number,
  port: number,
): Promise<{ toBanner: number; toMessage: number }> => {
  const begun = performance.now();
  const known = countStarted(berth);
  // Not before the container runs: a connection that comes too early makes the kernel wait a second for an answer
  // to its question who has the address, and everybody else behind it.
  const started = Promise.any(
    berth.workers().map((worker) => worker.waitForLine(() => countStarted(berth) > known)),
  );
  const [[toMessage], toBanner] = await Promise.all([
    timeUntil(berth, personId, '/create box', ({ text }) => text.includes('is running')),
    started.then(() => banner(port)).then(() => performance.now() - begun),
  ]);
  const person = berth.chat.person(personId);
  const question = await person.ask('/destroy', ({ text }) => text.includes('for good?'));
  await person.press(question, 0);
  await berth.chat.waitForMessage(personId, ({ text }) => text.includes('box is destroyed'), {
    timeoutMs: 60_000,
  });
  return { toBanner, toMessage: toMessage! };
};

/** Milliseconds of a plain `docker exec … echo` over the API, output and exit code included. */
export const execDirectly = async (containerId: string): Promise<number> => {
  const begun = performance.now();
  const exec = await docker.getContainer(containerId).exec({
    Cmd: ['echo', 'hello'],
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: false });
  await new Promise<void>((resolve) => stream.on('end', resolve).resume());
  await exec.inspect();
  return performance.now() - begun;
};
