import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { HostFacts } from '../../queues/host-facts.ts';
import { redisNow } from '../../queues/lately.ts';
import { answerEvery, answerRollCall, leaveRollCall, type RollCallEntry } from '../../queues/roll-call.ts';
import { withDeadline } from '../../shared/lifecycle.ts';
import type { Log } from '../../shared/log.ts';

/** The worker's part in the roll call: it writes itself down every few seconds, with what it knows of its host. */

export type RollCallOptions = {
  /** Fails at once while Redis is away: an entry that was kept for later would be an old one. */
  redis: Redis;
  instance: string;
  self: Omit<RollCallEntry, 'at' | 'facts'>;
  gather: (signal: AbortSignal) => Promise<HostFacts>;
  log: Log;
  /** Milliseconds between two answers. */
  every?: number;
};

const leaveDeadline = 1_000;

/** One line per outage, not one per try. */
const createOutage = (log: Log, what: string) => {
  let away = false;
  return {
    failed(err: unknown) {
      if (!away) log.warn({ err }, what);
      away = true;
    },
    passed() {
      away = false;
    },
  };
};

export const createRollCall = ({ redis, instance, self, gather, log, every }: RollCallOptions) => {
  const closing = new AbortController();
  const { signal } = closing;
  const unknownFacts = createOutage(log, 'the host’s facts are not known');
  const unanswered = createOutage(log, 'the roll call was not answered');
  let wake = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const gatherOrNull = async (): Promise<HostFacts | null> => {
    try {
      const facts = await gather(signal);
      unknownFacts.passed();
      return facts;
    } catch (err) {
      if (!signal.aborted) unknownFacts.failed(err);
      return null;
    }
  };
  const answer = async (): Promise<void> => {
    const facts = await gatherOrNull();
    if (signal.aborted) return;
    try {
      const at = new Date(await redisNow(redis)).toISOString();
      await answerRollCall(redis, instance, { ...self, at, facts });
      unanswered.passed();
    } catch (err) {
      unanswered.failed(err);
    }
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      wake = new AbortController();
      await answer();
      const woken = AbortSignal.any([signal, wake.signal]);
      await sleep(every ?? answerEvery, undefined, { signal: woken }).catch(() => 'woken');
    }
  };

  return {
    /** Begins to answer. */
    begin(): void {
      running = run();
    },
    /** Something has changed: answers at once. */
    now(): void {
      wake.abort();
    },
    async close(): Promise<void> {
      closing.abort(new Error('shutting down'));
      await running;
      const left = leaveRollCall(redis, instance, self.workerId);
      await withDeadline(left, leaveDeadline, 'leaving the roll call').catch((err: unknown) =>
        log.debug({ err }, 'the roll call will notice by itself'),
      );
    },
  };
};
