import { containerOptions } from '../../services/worker/docker/container-options.ts';
import type { Berth } from '../../tests/support/berth.ts';
import { docker, removeEverythingOf } from '../../tests/support/docker.ts';
import { banner } from './banner.ts';
import { anyMessage, type Bench, timeUntil } from './chat.ts';

/** `/create`, against the same container made by dockerode alone. */

/** Below what the tests and a Berth of its own take. The owner of the first VM has the first port. */
export const firstPort = 20_000;
export const lastPort = 20_399;
const directPort = 20_500;

const gib = 1024 ** 3;
/** The plan Basic. */
const limits = { memoryBytes: 2 * gib, cpus: 1, diskBytes: 100 * gib, gpu: false, sudo: true };
export const vmImage = process.env.VM_IMAGE || 'berth-vm:latest';

/** Milliseconds until the banner of a container that dockerode creates and starts. It is removed again. */
export const createDirectly = async ({ berth, signal }: Bench, round: number): Promise<number> => {
  const { instance } = berth;
  const port = directPort + (round % 400);
  const options = containerOptions({
    instance,
    vmId: `direct${round}`,
    owner: 1,
    name: 'box',
    image: vmImage,
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
  await banner(port, signal);
  const took = performance.now() - begun;
  await container.remove({ force: true });
  await docker.getVolume(options.name).remove();
  return took;
};

const countStarted = ({ berth }: Bench): number =>
  berth
    .workers()
    .flatMap((worker) => worker.lines())
    .filter(({ msg }) => msg === 'container started').length;

/** Milliseconds of `/create` until the first reply, the banner and the final message. The VM is destroyed again. */
export const createByChat = async (bench: Bench, personId: number) => {
  const { berth, signal } = bench;
  const begun = performance.now();
  const known = countStarted(bench);
  // Not before the container runs: a connection that comes too early makes the kernel wait a second for an answer
  // to its question who has the address, and everybody else behind it.
  const started = Promise.any(
    berth.workers().map((worker) => worker.waitForLine(() => countStarted(bench) > known, 60_000)),
  );
  const [times, toBanner] = await Promise.all([
    timeUntil(bench, personId, '/create box', anyMessage, ({ text }) => text.includes('is running')),
    started.then(() => banner(firstPort + 1, signal)).then(() => performance.now() - begun),
  ]);
  await destroyByChat(bench, personId);
  return { toReply: times[0]!, toBanner, toMessage: times[1]! };
};

const destroyByChat = async (bench: Bench, personId: number): Promise<void> => {
  const { chat } = bench.berth;
  const person = chat.person(personId);
  await person.press(await person.ask('/destroy', ({ text }) => text.includes('for good?')), 0);
  await chat.waitForMessage(personId, ({ text }) => text.includes('box is destroyed'), { timeoutMs: 60_000 });
};

/** A VM that stays, for the commands; the first creation also makes the image where it is missing. */
export const createOwnersVm = async (bench: Bench, owner: number): Promise<void> => {
  await timeUntil(bench, owner, '/create main', ({ text }) => text.includes('is running'));
};

/** Ends Berth, and removes what a run that was broken off has left on Docker. */
export const removeLeftovers = async (berth: Berth): Promise<void> => {
  await berth.stop();
  // A creation that was under way can come to its end after the first look.
  await removeEverythingOf(berth.instance);
};
