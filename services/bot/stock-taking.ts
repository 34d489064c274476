import { type Report, type Result, removeLeftovers, takeStock } from '../../queues/catalog.ts';
import type { Producer } from '../../queues/producer.ts';
import type { Log } from '../../shared/log.ts';
import { type KnownVm, sortThing } from '../../shared/stray/sorting.ts';
import { type Stray, strayStream, strays } from '../../shared/stray/stray.ts';
import { type Thing, thingKey } from '../../shared/stray/thing.ts';
import { newId } from './new-id.ts';
import type { Store, Trx } from './store/store.ts';

/**
 * Nothing with the instance's label stays without an owner. Every minute each host is asked what it has beyond what is
 * expected there; the answer is compared with what the events say when it comes. What VMs that have ended left behind is
 * removed, what no VM accounts for is told. Both only after two looks and some time: whoever is at work comes first.
 */

type Dependencies = {
  store: Pick<Store, 'db' | 'transaction' | 'handle'>;
  producer: Pick<Producer, 'add' | 'isReady' | 'raiseFence'>;
  instance: string;
  /** Hosts that have a worker now: a question to the others would only lie about. */
  hosts: () => readonly string[];
  log: Log;
  /** Milliseconds between two looks, and how long after its VM's end, or its own making, a thing is left alone. */
  interval?: number;
  grace?: number;
  now?: () => number;
};

/** Milliseconds. With the looks a minute apart a leftover is gone within six minutes of its VM's end. */
const usualGrace = 4 * 60_000;
/** After that long a question or a removal that nobody has answered is put again. */
const patience = 5 * 60_000;
const looksNeeded = 2;

/** A living VM's things are expected; so are the home of a lost one and whatever comes after the question, see `sortThing`. */
const findExpected = async (db: Store['db'], host: string): Promise<string[]> => {
  const rows = await db
    .selectFrom('vms')
    .select('vm_id')
    .where('host', '=', host)
    .where('status', 'not in', ['destroyed', 'failed', 'lost'])
    .execute();
  return rows.map(({ vm_id }) => vm_id);
};

const inOneQuery = 500;

const findKnownVms = async (trx: Trx, things: readonly Thing[]): Promise<Map<string, KnownVm>> => {
  const vmIds = [...new Set(things.flatMap(({ vmId }) => vmId ?? []))];
  const known = new Map<string, KnownVm>();
  for (let from = 0; from < vmIds.length; from += inOneQuery) {
    const rows = await trx
      .selectFrom('vms')
      .select(['vm_id as vmId', 'status', 'host', 'epoch', 'changed_at as changedAt'])
      .where('vm_id', 'in', vmIds.slice(from, from + inOneQuery))
      .execute();
    for (const row of rows) known.set(row.vmId, row);
  }
  return known;
};

type Leftovers = { vm: KnownVm; things: Thing[] };
type Stock = Result<typeof takeStock>;

export const createStockTaking = (dependencies: Dependencies) => {
  const { store, producer, instance, hosts, log } = dependencies;
  const { interval = 60_000, grace = usualGrace, now = Date.now } = dependencies;
  /** Questions that wait for their answer, by request. */
  const asked = new Map<string, { host: string; at: number }>();
  /** VMs whose leftovers are on their way out. */
  const clearing = new Map<string, { requestId: string; at: number }>();
  /** In how many looks in a row each thing was seen, by host, and the request of the last one. */
  const looks = new Map<string, { requestId: string; counts: Map<string, number> }>();

  /** A clock that was set wrong must not keep things for ever: what is from the future is old, too. */
  const isOld = (time: string | null): boolean =>
    time === null || Math.abs(now() - Date.parse(time)) >= grace;
  const isFresh = ({ at }: { at: number }): boolean => Math.abs(now() - at) < patience;

  const ask = async (host: string): Promise<void> => {
    const requestId = `stock-${newId()}`;
    const expected = await findExpected(store.db, host);
    asked.set(requestId, { host, at: now() });
    const payload = { requestId, expected, correlationId: requestId };
    await producer.add({ jobName: takeStock.name, host, jobId: requestId, payload }).catch((error) => {
      asked.delete(requestId);
      throw error;
    });
  };

  const askAll = async (wanted: readonly string[]): Promise<void> => {
    if (!producer.isReady()) return;
    for (const [requestId, question] of asked) if (!isFresh(question)) asked.delete(requestId);
    const waiting = new Set([...asked.values()].map(({ host }) => host));
    for (const host of wanted) if (!waiting.has(host)) await ask(host);
  };

  let asking: Promise<void> = Promise.resolve();
  const look = (wanted: readonly string[] = hosts()): void => {
    asking = asking
      .then(() => askAll([...new Set(wanted)]))
      .catch((err) => log.debug({ err }, 'no stock could be taken'));
  };
  const timer = setInterval(look, interval);

  /** An answer that comes again, because the storage was out, is still one look. */
  const countLook = (requestId: string, host: string, { things, complete }: Stock): void => {
    const before = looks.get(host);
    if (before?.requestId === requestId) return;
    // Where an answer holds only some of the things, what is missing in it may be there all the same.
    const counts = new Map(complete ? [] : before?.counts);
    for (const key of things.map(thingKey)) counts.set(key, (before?.counts.get(key) ?? 0) + 1);
    looks.set(host, { requestId, counts });
  };
  const isCertain = (host: string, thing: Thing): boolean =>
    (looks.get(host)?.counts.get(thingKey(thing)) ?? 0) >= looksNeeded;

  const clear = async (host: string, { vm, things }: Leftovers): Promise<void> => {
    const { vmId } = vm;
    const known = clearing.get(vmId);
    if (known !== undefined && isFresh(known)) return;
    const requestId = `leftovers-${newId()}`;
    const epoch = vm.epoch + 1;
    clearing.set(vmId, { requestId, at: now() });
    const payload = { requestId, vmId, epoch, things, correlationId: requestId };
    try {
      // Whoever is still at what the VM's end has called off, as a worker that slept, must bring nothing back.
      await producer.raiseFence(vmId, epoch);
      await producer.add({ jobName: removeLeftovers.name, host, jobId: requestId, payload });
    } catch (error) {
      clearing.delete(vmId);
      throw error;
    }
    const what = things.map(({ kind, id }) => `${kind} ${id}`);
    log.warn({ vmId, status: vm.status, things: what }, 'a VM that has ended left something behind');
  };

  /** Tells what is nobody's, and gives what is to be removed. */
  const compare = (host: string, { things, complete }: Stock): Promise<Leftovers[]> =>
    store.transaction(async (trx) => {
      const known = await findKnownVms(trx, things);
      const found: Stray[] = [];
      const leftovers = new Map<string, Leftovers>();
      for (const thing of things) {
        const vm = known.get(thing.vmId ?? '');
        const verdict = sortThing(thing, { instance, host, vm });
        if (verdict.kind === 'stray') found.push({ ...thing, reason: verdict.reason });
        if (verdict.kind !== 'leftover' || !isCertain(host, thing) || !isOld(verdict.vm.changedAt)) continue;
        const { vmId } = verdict.vm;
        leftovers.set(vmId, {
          vm: verdict.vm,
          things: [...(leftovers.get(vmId)?.things ?? []), thing],
        });
      }
      const at = new Date(now()).toISOString();
      const present = complete ? found.map(thingKey) : null;
      const certain = found.filter((stray) => isCertain(host, stray) && isOld(stray.createdAt));
      const command = { type: 'RecordStrays', data: { host, at, present, certain } } as const;
      const metadata = { actor: null, chat: null, correlationId: newId(), causationId: 'stock-taking' };
      const { events } = await store.handle(trx, strays, strayStream(host), command, metadata);
      for (const { type } of events) log.warn({ host, event: type }, 'stock was taken');
      return [...leftovers.values()];
    });

  return {
    /** Asks the hosts now, those that have a worker where none are given; where a question is open, that one is enough. */
    look,
    /** The answer to a look. Rejects when the storage is out. */
    async record({ operationId, outcome }: Pick<Report, 'operationId' | 'outcome'>): Promise<void> {
      const question = asked.get(operationId);
      if (question === undefined) return; // of a bot before this one: what it saw is seen again
      if (outcome.kind === 'succeeded') {
        const stock = takeStock.result.parse(outcome.result);
        countLook(operationId, question.host, stock);
        for (const leftovers of await compare(question.host, stock)) {
          await clear(question.host, leftovers).catch((err) =>
            log.warn({ err, vmId: leftovers.vm.vmId }, 'leftovers wait for the next look'),
          );
        }
      }
      asked.delete(operationId);
    },
    /** The end of a removal of leftovers, whatever it was: what is still there is seen again. */
    recordRemoval({ operationId }: Pick<Report, 'operationId'>): void {
      for (const [vmId, { requestId }] of clearing) if (requestId === operationId) clearing.delete(vmId);
    },
    close: (): Promise<void> => {
      clearInterval(timer);
      return asking;
    },
  };
};
