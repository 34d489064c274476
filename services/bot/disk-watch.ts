import { type DiskLane, measureDisks, type Report } from '../../queues/catalog.ts';
import type { Producer } from '../../queues/producer.ts';
import type { Log } from '../../shared/log.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';
import { isDiskNews } from '../../shared/vm/disk.ts';
import { newId } from './new-id.ts';
import type { ProgressBoard } from './progress-board.ts';
import { findVm } from './queries.ts';
import type { VmRow } from './store/schema.ts';
import type { Store } from './store/store.ts';

/**
 * Every minute the hosts are asked how much disk their running VMs use. What follows from the answers is decided by each
 * VM: a warning, a stop, or nothing. VMs with more files than can be counted within seconds have a lane of their own, so
 * that the others are measured all the same; in each lane of a host one question is open at a time.
 */

type Dependencies = {
  store: Pick<Store, 'db' | 'transaction' | 'handle'>;
  producer: Pick<Producer, 'add' | 'isReady'>;
  board: Pick<ProgressBoard, 'setDisk' | 'diskOf' | 'setDiskLook'>;
  log: Log;
  /** Milliseconds between two looks. */
  interval?: number;
  now?: () => number;
};

/** Milliseconds after which nobody answers any more, as when a worker died in the middle. */
const patience: Record<DiskLane, number> = { quick: 2 * 60_000, slow: 40 * 60_000 };
/** VMs in one question; the others have their turn in the next. */
const most = 500;

export const createDiskWatch = (dependencies: Dependencies) => {
  const { store, producer, board, log, interval = 60_000, now = Date.now } = dependencies;
  /** Open questions by host and lane. */
  const open = new Map<string, { requestId: string; at: number; host: string; vms: number }>();
  /** VMs that were not counted to their end. */
  const slow = new Set<string>();
  /** When each was last asked about. */
  const askedAt = new Map<string, number>();

  const ask = async (host: string, lane: DiskLane, vms: readonly VmRow[]): Promise<void> => {
    const key = `${host} ${lane}`;
    const before = open.get(key);
    if (vms.length === 0 || (before !== undefined && Math.abs(now() - before.at) < patience[lane])) return;
    const byAge = [...vms]
      .sort((a, b) => (askedAt.get(a.vm_id) ?? 0) - (askedAt.get(b.vm_id) ?? 0))
      .slice(0, most);
    const requestId = `disk-${newId()}`;
    open.set(key, { requestId, at: now(), host, vms: byAge.length });
    const asked = byAge.map(({ vm_id, epoch }) => ({ vmId: vm_id, epoch }));
    const payload = { requestId, lane, vms: asked, correlationId: requestId };
    try {
      await producer.add({ jobName: measureDisks.name, host, jobId: requestId, payload });
    } catch (error) {
      open.delete(key);
      throw error;
    }
    for (const { vmId } of asked) askedAt.set(vmId, now());
  };

  const lookAtAll = async (): Promise<void> => {
    if (!producer.isReady()) return;
    const running = await store.db.selectFrom('vms').selectAll().where('status', '=', 'running').execute();
    const ids = new Set(running.map(({ vm_id }) => vm_id));
    for (const id of askedAt.keys()) if (!ids.has(id)) askedAt.delete(id);
    for (const id of slow) if (!ids.has(id)) slow.delete(id);
    for (const [host, vms] of Map.groupBy(running, ({ host }) => host)) {
      const isSlow = ({ vm_id }: VmRow) => slow.has(vm_id);
      await ask(
        host,
        'quick',
        vms.filter((row) => !isSlow(row)),
      );
      await ask(host, 'slow', vms.filter(isSlow));
    }
  };

  const decide = async (seen: {
    vmId: string;
    epoch: number;
    usedBytes: number;
    complete: boolean;
  }): Promise<void> => {
    const row = await findVm(store.db, seen.vmId);
    if (row === undefined || !isDiskNews(seen.usedBytes, row.disk_bytes, row.disk_low === 1)) return;
    await store.transaction(async (trx) => {
      const data = { ...seen, operationId: newId(), at: new Date(now()).toISOString() };
      const metadata = { actor: null, chat: row.owner, correlationId: newId(), causationId: 'disk-watch' };
      const { events } = await store.handle(
        trx,
        vm,
        vmStream(seen.vmId),
        { type: 'RecordDiskUse', data },
        metadata,
      );
      if (events.length > 0)
        log.info({ ...seen, limitBytes: row.disk_bytes, events: events.map(({ type }) => type) }, 'disk use');
    });
  };

  let looking: Promise<void> = Promise.resolve();
  const look = (): void => {
    looking = lookAtAll().catch((err) => log.debug({ err }, 'the disks could not be asked for'));
  };
  const timer = setInterval(look, interval);

  return {
    /** Asks now, as when the bot has just begun. */
    look,
    /** When the look that began last has put its questions. */
    settled: (): Promise<void> => looking,
    /** The answer. Rejects when the storage is out. */
    async record({ operationId, outcome }: Pick<Report, 'operationId' | 'outcome'>): Promise<void> {
      const [key, question] = [...open].find(([, { requestId }]) => requestId === operationId) ?? [];
      if (key !== undefined) open.delete(key);
      const at = new Date(now()).toISOString();
      if (outcome.kind !== 'succeeded') {
        if (question !== undefined)
          board.setDiskLook(question.host, { at, measured: 0, unknown: question.vms, slow: slow.size });
        return;
      }
      const { vms } = measureDisks.result.parse(outcome.result);
      for (const { vmId, epoch, usedBytes, complete } of vms) {
        if (usedBytes === null) continue;
        if (complete) slow.delete(vmId);
        else slow.add(vmId);
        // What was counted in part only may be less than what is known.
        if (complete || usedBytes > (board.diskOf(vmId) ?? 0)) board.setDisk(vmId, usedBytes);
        await decide({ vmId, epoch, usedBytes, complete });
      }
      if (question === undefined || key?.endsWith(' slow')) return;
      const measured = vms.filter(({ usedBytes }) => usedBytes !== null).length;
      board.setDiskLook(question.host, {
        at,
        measured,
        unknown: vms.length - measured,
        slow: slow.size,
      });
    },
    close: (): Promise<void> => {
      clearInterval(timer);
      return looking;
    },
  };
};
