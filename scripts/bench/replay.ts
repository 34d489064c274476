import { rebuild } from '../../services/bot/store/replay.ts';
import { openStore, type Store } from '../../services/bot/store/store.ts';
import { createLog } from '../../shared/log.ts';
import { limits } from './vms.ts';

/** Events per second with which the projections are built anew. */

const at = new Date().toISOString();

/** A VM's life: made, then stopped and started again and again, with a command in between. */
const lifeOf = (vmId: string, length: number): { type: string; data: object }[] => {
  const request = { operationId: `${vmId}-0`, vmId, at, epoch: 1 };
  const owned = { owner: 1, name: vmId, host: 'local', limits, plan: null, sshPort: 22_000 };
  const events: { type: string; data: object }[] = [
    { type: 'VmRequested', data: { ...request, ...owned } },
    {
      type: 'VmCreated',
      data: { operationId: `${vmId}-0`, vmId, at, containerId: 'c', hostKeyFingerprint: 'k' },
    },
  ];
  for (let turn = 1; events.length < length; turn += 1) {
    const ids = (part: string) => ({ operationId: `${vmId}-${turn}-${part}`, vmId, at });
    events.push(
      { type: 'ExecRequested', data: { ...ids('e'), timeoutSeconds: 60 } },
      {
        type: 'ExecFinished',
        data: { ...ids('e'), exitCode: 0, durationMs: 1, outputBytes: 1, truncated: false },
      },
      { type: 'VmStopRequested', data: { ...ids('s'), epoch: 2 * turn } },
      { type: 'VmStopped', data: ids('s') },
      { type: 'VmStartRequested', data: { ...ids('r'), epoch: 2 * turn + 1 } },
      { type: 'VmStarted', data: ids('r') },
    );
  }
  return events.slice(0, length);
};

const fill = async (store: Store, vms: number, eventsEach: number): Promise<void> => {
  await store.db.transaction().execute(async (trx) => {
    for (let index = 0; index < vms; index += 1) {
      const vmId = `vm${index}`;
      const rows = lifeOf(vmId, eventsEach).map(({ type, data }, position) => ({
        stream: `vm-${vmId}`,
        version: position + 1,
        type,
        schema_version: 1,
        data: JSON.stringify(data),
        actor: 1,
        chat: 1,
        correlation_id: 'bench',
        causation_id: null,
        recorded_at: at,
      }));
      await trx.insertInto('events').values(rows).execute();
    }
  });
};

/** A database of so many events; `measure` builds its projections anew and gives events per second. */
export const openReplay = async (dataDir: string, vms: number, eventsEach: number) => {
  const store = await openStore({ dataDir, log: createLog('bench', 'silent') });
  await fill(store, vms, eventsEach);
  return {
    async measure(): Promise<number> {
      const { events, seconds } = await rebuild(store.db);
      return events / seconds;
    },
    close: () => store.close(),
  };
};
