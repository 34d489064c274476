import { setTimeout as sleep } from 'node:timers/promises';
import type { lookAtVms, Payload, Result } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { type Container, lookUpContainer } from '../docker/containers.ts';
import type { CallOptions, Engine } from '../docker/engine.ts';
import { endedWithEngine, engineStart } from '../docker/engine-start.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';

/** What became of VMs that should be running, and why those that do not run ended. */

type Question = Payload<typeof lookAtVms>['vms'][number];
type Answer = Result<typeof lookAtVms>['vms'][number];
type Fate = Omit<Answer, keyof Question>;

/** Docker answers a few at once as fast as many, and others have questions, too. */
const atOnce = 8;
/** Milliseconds. */
const deadline = 5_000;

/** 128 and the signal's number: what a process that was killed ends with. */
const killed = 137;

/** Milliseconds in which a VM that was killed may come up again: a command that nothing else ends restarts its VM. */
const comingBack = [400, 800, 1_600];

const wasKilledJustNow = (container: Container, start: number | null): boolean =>
  container.status === 'exited' &&
  container.exitCode === killed &&
  Date.now() - Date.parse(container.finishedAt) < 10_000 &&
  !endedWithEngine(container, start);

const lookUntilSettled = async (
  engine: Engine,
  vm: { instance: string; vmId: string },
  start: number | null,
  options: CallOptions & { signal: AbortSignal },
): Promise<Container | 'foreign' | undefined> => {
  for (const pause of comingBack) {
    const container = await lookUpContainer(engine, vm, options);
    if (container === undefined || container === 'foreign' || !wasKilledJustNow(container, start))
      return container;
    await sleep(pause, undefined, { signal: options.signal });
  }
  return lookUpContainer(engine, vm, options);
};

const fateOf = (container: Container | 'foreign' | undefined, start: number | null): Fate => {
  const unknown = { exitCode: null, outOfMemory: false, withEngine: false };
  if (container === undefined || container === 'foreign') return { state: 'absent', ...unknown };
  const { status, exitCode } = container;
  if (status === 'running') return { state: 'running', ...unknown };
  if (status !== 'exited') return { state: 'other', ...unknown };
  return {
    state: 'stopped',
    exitCode,
    // Docker also says so when it was another process, earlier, and the first one ended by itself.
    outOfMemory: container.outOfMemory && exitCode === killed,
    withEngine: endedWithEngine(container, start),
  };
};

export const lookAtVmsProcessor =
  ({ engine, instance }: VmHost): Processor<typeof lookAtVms> =>
  ({ vms }, context) =>
    withMeaning(context, async () => {
      const options = { signal: context.signal, deadline };
      const start = await engineStart(engine, options);
      const answers: Answer[] = [];
      const rest = vms.entries();
      const lookAtSome = async (): Promise<void> => {
        for (const [index, { vmId, epoch }] of rest) {
          const container = await lookUntilSettled(engine, { instance, vmId }, start, options);
          answers[index] = { vmId, epoch, ...fateOf(container, start) };
        }
      };
      await Promise.all(Array.from({ length: atOnce }, lookAtSome));
      return { vms: answers };
    });
