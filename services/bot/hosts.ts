import { probeGpu, type Report } from '../../queues/catalog.ts';
import { type GatewayEntry, readGatewayStatus } from '../../queues/gateway-status.ts';
import type { GpuOffer, HostFacts } from '../../queues/host-facts.ts';
import { redisNow } from '../../queues/lately.ts';
import type { Producer, QueueCount } from '../../queues/producer.ts';
import type { RedisState } from '../../queues/redis-state.ts';
import { type RollCallEntry, readRollCall } from '../../queues/roll-call.ts';
import type { Log } from '../../shared/log.ts';
import { newId } from './new-id.ts';
import { createTroubles, type Trouble } from './troubles.ts';

/**
 * How the hosts are: which workers answer, what they tell of their Docker engines, what waits in the queues. Known as of
 * a few seconds ago at most, and asked anew when somebody looks. May be out of date, and is never truth.
 */

export type KnownHosts = {
  /** Workers that answered lately. */
  workers(): readonly RollCallEntry[];
  /** What the newest word of a host's workers says of it; null while nobody has told. */
  factsOf(host: string): HostFacts | null;
  /** What the host's worker found when it last tried; null while nobody has. */
  gpuOf(host: string): GpuOffer | null;
  /** Empty where nobody has looked lately. */
  queuesOf(host: string): readonly QueueCount[];
  /** Gateways that answered lately, and how people reach them. */
  gateways(): readonly GatewayEntry[];
  /** What keeps a host's work from being done, where something does. */
  troubleOf(host: string): Trouble | null;
  /** Whether work can reach the workers at all. */
  redis(): RedisState;
};

type Dependencies = {
  producer: Pick<Producer, 'redis' | 'add' | 'countQueues' | 'isReady'>;
  instance: string;
  redis: () => RedisState;
  /** The hosts whose queues are looked at. */
  hosts: readonly string[];
  refresh: (messageKey: string) => void;
  /** People reach the gateways by other addresses than a moment ago. */
  onOriginsChanged: () => void;
  log: Log;
  now?: () => number;
};

/** Milliseconds; so soon after a worker has started values are compared with what its host has. */
const readEvery = 1_000;
/** Counts of queues tell of the moment. Older ones would stand in an overview until the new ones are there. */
const queuesKeep = 10_000;

const originsOf = (gateways: readonly GatewayEntry[]): string =>
  gateways
    .map(({ tunnel }) => tunnel.origin)
    .sort()
    .join(' ');

export const createHosts = (dependencies: Dependencies) => {
  const {
    producer,
    instance,
    hosts,
    refresh,
    onOriginsChanged,
    log,
    now = () => performance.now(),
  } = dependencies;
  let workers: RollCallEntry[] = [];
  let gateways: GatewayEntry[] = [];
  const queues = new Map<string, { at: number; counts: QueueCount[] }>();
  const probed = new Map<string, GpuOffer>();
  const asked = new Map<string, { host: string; keys: string[] }>();

  const readWhoAnswers = async (): Promise<void> => {
    const at = await redisNow(producer.redis);
    workers = await readRollCall(producer.redis, instance, at);
    const before = originsOf(gateways);
    gateways = await readGatewayStatus(producer.redis, instance, at);
    if (originsOf(gateways) !== before) onOriginsChanged();
  };

  const readAll = async (): Promise<void> => {
    await Promise.all([
      readWhoAnswers(),
      ...hosts.map(async (host) => {
        const counts = await producer.countQueues(host);
        queues.set(host, { at: now(), counts });
      }),
    ]);
  };

  let reading: Promise<void> = Promise.resolve();
  const readSafely = (read: () => Promise<void>): Promise<void> => {
    if (!producer.isReady()) return Promise.resolve();
    return read().catch((err) => log.debug({ err }, 'the hosts could not be looked at'));
  };
  const timer = setInterval(() => {
    reading = readSafely(readWhoAnswers);
  }, readEvery);
  producer.redis.on('ready', () => {
    reading = readSafely(readWhoAnswers);
  });

  const factsOf = (host: string): HostFacts | null =>
    workers
      .filter((worker) => worker.host === host && worker.facts !== null)
      .sort((a, b) => b.at.localeCompare(a.at))[0]?.facts ?? null;

  const troubles = createTroubles({ redis: dependencies.redis, workers: () => workers, hosts });
  const known: KnownHosts = {
    workers: () => workers,
    gateways: () => gateways,
    factsOf,
    gpuOf: (host) => probed.get(host) ?? factsOf(host)?.gpu ?? null,
    queuesOf: (host) => {
      const known = queues.get(host);
      if (known === undefined || !producer.isReady()) return [];
      return now() - known.at > queuesKeep ? [] : known.counts;
    },
    troubleOf: troubles.of,
    redis: dependencies.redis,
  };

  return {
    ...known,
    /** Looks anew, then has the messages shown again. */
    look(keys: readonly string[]): void {
      reading = readSafely(readAll).then(() => {
        for (const key of keys) refresh(key);
      });
    },
    /** Has the host try whether it can give a GPU; the messages show what came of it. */
    probe(host: string, keys: string[], correlationId: string): void {
      const requestId = `probe-${newId()}`;
      probed.delete(host);
      asked.set(requestId, { host, keys });
      producer
        .add({ jobName: probeGpu.name, host, jobId: requestId, payload: { requestId, correlationId } })
        .catch((err) => log.warn({ err, correlationId }, 'the host could not be asked for GPUs'));
    },
    /** The answer to `probe`. */
    record({ operationId, outcome }: Pick<Report, 'operationId' | 'outcome'>): void {
      const question = asked.get(operationId);
      asked.delete(operationId);
      if (question === undefined) return;
      if (outcome.kind === 'succeeded') probed.set(question.host, probeGpu.result.parse(outcome.result));
      for (const key of question.keys) refresh(key);
    },
    close: (): Promise<void> => {
      clearInterval(timer);
      troubles.close();
      return reading;
    },
  };
};
