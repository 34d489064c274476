import type { lookAtVms, Payload, Result } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { type Container, lookUpContainer } from '../docker/containers.ts';
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
          const container = await lookUpContainer(engine, { instance, vmId }, options);
          answers[index] = { vmId, epoch, ...fateOf(container, start) };
        }
      };
      await Promise.all(Array.from({ length: atOnce }, lookAtSome));
      return { vms: answers };
    });
