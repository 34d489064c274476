import type { setAccess } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { OperationError } from '../../../queues/errors.ts';
import { lookAgain, requireContainer } from '../docker/containers.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';
import { putAccess } from './put-access.ts';

/** Milliseconds. This job shares its queue with questions that people wait for. */
const deadline = 10_000;

const notRunning = (): OperationError => new OperationError('vm-not-running', '');

/** Puts password and keys in place in a VM that runs; one that does not gets them at its next start. */
export const setAccessProcessor =
  (host: VmHost): Processor<typeof setAccess> =>
  ({ vmId, access }, context) =>
    withMeaning(context, async () => {
      const { engine, instance } = host;
      const { signal } = context;
      const { id, running } = await requireContainer(engine, { instance, vmId }, { signal });
      if (!running) throw notRunning();
      await context.checkFence();
      try {
        await putAccess(host, id, access, { signal, deadline });
      } catch (error) {
        const now = signal.aborted ? undefined : await lookAgain(engine, id, { signal });
        if (now?.running === false) throw notRunning(); // it stopped meanwhile
        throw error;
      }
      context.log.info({ containerId: id, revision: access.revision }, 'access set');
      return {};
    });
