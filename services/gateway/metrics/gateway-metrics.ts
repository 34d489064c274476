import type { Redis } from 'ioredis';
import { Gauge, type Registry } from 'prom-client';
import { redisNow } from '../../../queues/lately.ts';
import { readQueueDepth } from '../../../queues/queue-depth.ts';
import { readTerminals } from '../../../queues/tickets.ts';
import { withDeadline } from '../../../shared/lifecycle.ts';
import type { Log } from '../../../shared/log.ts';
import { createProcessMetrics } from '../../../shared/metrics/process-metrics.ts';
import type { OpenQueue, QueueSet } from '../queue-set.ts';

/** What the gateway itself can tell: of its process, the queues, the terminals and the tunnel. Asked at every look. */

export type TunnelGlance = {
  /** Somebody wants it: the settings, or a person who asked for a link. */
  wanted: boolean;
  connected: boolean;
};

type Options = {
  redis: Redis;
  instance: string;
  queues: QueueSet;
  tunnel: () => TunnelGlance;
  log: Log;
};

const deadline = 3_000;

const countQueue = async ({ kind, host, queue }: OpenQueue) => {
  const { jobs, oldestWaitMs } = await readQueueDepth(queue);
  const labels = { queue: kind, ...(host !== null && { host }) };
  return { labels, counts: jobs, oldestWait: (oldestWaitMs ?? 0) / 1_000 };
};

type Count = Awaited<ReturnType<typeof countQueue>>;

const registerQueueGauges = ({
  registers,
  queues,
  log,
}: Pick<Options, 'queues' | 'log'> & { registers: Registry[] }): void => {
  const countAll = async (): Promise<Count[]> => {
    try {
      const open = await queues.current();
      return await withDeadline(Promise.all(open.map(countQueue)), deadline, 'counting jobs');
    } catch (err) {
      queues.forget();
      log.debug({ err }, 'the queues could not be counted');
      return [];
    }
  };
  let counting: Promise<Count[]> | undefined;
  /** Both gauges are asked in one go, and need one look at Redis. */
  const counted = (): Promise<Count[]> => {
    counting ??= countAll().finally(() => {
      counting = undefined;
    });
    return counting;
  };
  new Gauge({
    name: 'berth_queue_jobs',
    help: 'Jobs in a queue, by state.',
    labelNames: ['queue', 'host', 'state'],
    registers,
    async collect() {
      const all = await counted();
      this.reset();
      for (const { labels, counts } of all)
        for (const [state, count] of Object.entries(counts)) this.set({ ...labels, state }, count);
    },
  });
  new Gauge({
    name: 'berth_queue_oldest_wait_seconds',
    help: 'How long the job that is next has been waiting; 0 where none waits.',
    labelNames: ['queue', 'host'],
    registers,
    async collect() {
      const all = await counted();
      this.reset();
      for (const { labels, oldestWait } of all) this.set(labels, oldestWait);
    },
  });
};

export const createGatewayMetrics = ({ redis, instance, queues, tunnel, log }: Options): Registry => {
  const registry = createProcessMetrics();
  const registers = [registry];
  registerQueueGauges({ registers, queues, log });
  new Gauge({
    name: 'berth_terminals_open',
    help: 'Web terminals that are open.',
    registers,
    async collect() {
      const reading = redisNow(redis).then((now) => readTerminals(redis, instance, now));
      const open = withDeadline(reading, deadline, 'terminals');
      await open.then(
        (terminals) => this.set(terminals.length),
        (err: unknown) => {
          this.remove(); // no figure rather than an old one
          log.debug({ err }, 'the terminals could not be counted');
        },
      );
    },
  });
  new Gauge({
    name: 'berth_tunnel_up',
    help: '1 while people reach the gateway through its tunnel.',
    registers,
    collect() {
      this.set(tunnel().connected ? 1 : 0);
    },
  });
  new Gauge({
    name: 'berth_redis_up',
    help: '1 while Redis answers the gateway.',
    registers,
    collect() {
      this.set(redis.status === 'ready' ? 1 : 0);
    },
  });
  return registry;
};
