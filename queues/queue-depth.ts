import type { Queue } from 'bullmq';

/** What lies in one queue at the moment, for people and for Prometheus alike. */

/** Jobs by state. `oldestWaitMs`: how long the job that is next has been waiting; null where none waits. */
export type QueueDepth = {
  jobs: Record<(typeof counted)[number], number>;
  oldestWaitMs: number | null;
};

const counted = ['waiting', 'prioritized', 'active', 'delayed', 'failed'] as const;

/** Fails, or waits, as BullMQ does while Redis is away: whoever calls has a deadline. */
export const readQueueDepth = async (queue: Queue): Promise<QueueDepth> => {
  const counts = await queue.getJobCounts(...counted);
  const [next] = await queue.getWaiting(0, 0);
  return {
    jobs: Object.fromEntries(counted.map((state) => [state, counts[state] ?? 0])) as QueueDepth['jobs'],
    oldestWaitMs: next === undefined ? null : Math.max(0, Date.now() - next.timestamp),
  };
};
