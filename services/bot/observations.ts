import { lookAtVms, type Report, type Result } from '../../queues/catalog.ts';
import type { Hint } from '../../queues/hints.ts';
import type { Producer } from '../../queues/producer.ts';
import type { Log } from '../../shared/log.ts';
import type { VmCommand } from '../../shared/vm/commands.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';
import type { ExitCause } from '../../shared/vm/events.ts';
import { newId } from './new-id.ts';
import { findVm } from './queries.ts';
import type { VmRow } from './store/schema.ts';
import type { Store } from './store/store.ts';

/**
 * What happens to VMs without anybody asking. A worker's hint, and a look every minute, make the bot ask the host about
 * VMs that should be there; only the answer counts, and only for the epoch in which the question was put. So whatever
 * Berth does itself meanwhile is never mistaken for something that happened.
 */

type Dependencies = {
  store: Pick<Store, 'db' | 'transaction' | 'handle'>;
  producer: Pick<Producer, 'add' | 'isReady'>;
  log: Log;
  /** Milliseconds between two looks at everything. */
  interval?: number;
  now?: () => Date;
};

type Seen = Result<typeof lookAtVms>['vms'][number];

/** VMs in one question. */
const chunk = 100;
/** The exit code of what SIGKILL ended. */
const killed = 137;

const causeOf = ({ outOfMemory, withEngine, exitCode }: Seen): ExitCause => {
  if (outOfMemory) return 'out-of-memory';
  if (withEngine) return 'host-restarted';
  return exitCode === killed ? 'killed' : 'exited';
};

export const createObservations = (dependencies: Dependencies) => {
  const { store, producer, log, interval = 60_000, now = () => new Date() } = dependencies;

  const ask = async (host: string, vms: readonly VmRow[]): Promise<void> => {
    for (let start = 0; start < vms.length; start += chunk) {
      const requestId = `look-${newId()}`;
      const asked = vms.slice(start, start + chunk).map(({ vm_id, epoch }) => ({ vmId: vm_id, epoch }));
      const payload = { requestId, vms: asked, correlationId: requestId };
      await producer.add({ jobName: lookAtVms.name, host, jobId: requestId, payload });
    }
  };

  /** VMs that have a container and nothing under way. */
  const findAtRest = (host?: string): Promise<VmRow[]> =>
    store.db
      .selectFrom('vms')
      .selectAll()
      .where('status', 'in', ['running', 'stopped'])
      .$if(host !== undefined, (query) => query.where('host', '=', host!))
      .execute();

  const lookAtAll = async (): Promise<void> => {
    if (!producer.isReady()) return;
    for (const [host, vms] of Map.groupBy(await findAtRest(), ({ host }) => host)) await ask(host, vms);
  };

  const record = async (vmId: string, command: VmCommand, correlationId: string): Promise<void> => {
    await store.transaction(async (trx) => {
      const row = await findVm(trx, vmId);
      if (row === undefined) return;
      const metadata = { actor: null, chat: row.owner, correlationId, causationId: 'look' };
      const { events } = await store.handle(trx, vm, vmStream(vmId), command, metadata);
      if (events.length > 0) log.info({ vmId, events: events.map(({ type }) => type) }, 'seen on the host');
    });
  };

  let looking: Promise<void> = Promise.resolve();
  const look = (): void => {
    looking = lookAtAll().catch((err) => log.debug({ err }, 'no look at the VMs was possible'));
  };
  const timer = setInterval(look, interval);

  return {
    /** Looks at everything now, as when the bot has just begun: it may have missed much, or been restored. */
    look,
    /** Rejects when the storage or Redis is out; then the hint must come again. */
    async onHint({ host, kind, vmId }: Hint): Promise<void> {
      if (kind === 'engine-back') return ask(host, await findAtRest(host));
      const row = vmId === null ? undefined : await findVm(store.db, vmId);
      if (row === undefined) return;
      // Also of a VM that is stopped; one that Berth itself removes has an operation under way.
      if (kind === 'removed')
        return ['running', 'stopped'].includes(row.status) ? ask(host, [row]) : undefined;
      if (row.status !== 'running') return;
      if (kind === 'died') return ask(host, [row]);
      const data = { vmId: row.vm_id, at: now().toISOString() };
      await record(row.vm_id, { type: 'RecordOutOfMemory', data }, newId());
    },
    /** The answer to a look. Rejects when the storage is out. */
    async record({ operationId, outcome }: Pick<Report, 'operationId' | 'outcome'>): Promise<void> {
      if (outcome.kind !== 'succeeded') return;
      for (const seen of lookAtVms.result.parse(outcome.result).vms) {
        const { vmId, epoch, state, exitCode } = seen;
        const at = now().toISOString();
        if (state === 'stopped') {
          const data = {
            vmId,
            epoch,
            at,
            cause: causeOf(seen),
            exitCode: exitCode ?? 0,
            operationId: newId(),
          };
          await record(vmId, { type: 'RecordExited', data }, operationId);
        } else if (state === 'running') {
          const data = { vmId, epoch, at, operationId: newId() };
          await record(vmId, { type: 'RecordFoundRunning', data }, operationId);
        } else if (state === 'absent') {
          await record(vmId, { type: 'RecordVanished', data: { vmId, epoch, at } }, operationId);
        }
      }
    },
    close: (): Promise<void> => {
      clearInterval(timer);
      return looking;
    },
  };
};
