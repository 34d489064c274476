import { pino } from 'pino';
import type { Outcome } from '../../../queues/catalog.ts';
import type { Context } from '../../../queues/consumer.ts';
import { SupersededError } from '../../../queues/errors.ts';

/** A job's surroundings without Redis: what a processor asks for is recorded, and the test decides the rest. */
export type TestContext = Context & {
  steps: string[];
  outputs: string[];
  logs: string[];
  privates: Map<string, Buffer>;
  /** From the so-manyth check of the fence on (0 is the first), a newer operation exists. */
  supersedeAfter(checks: number): void;
  cancel(): void;
  shutDown(): void;
};

export const testContext = (
  settings: { lastAttempt?: boolean; runFirst?: () => Promise<Outcome> } = {},
): TestContext => {
  const aborter = new AbortController();
  const logs: string[] = [];
  const steps: string[] = [];
  const outputs: string[] = [];
  const privates = new Map<string, Buffer>();
  let checksLeft = Number.POSITIVE_INFINITY;
  const checkFence = async () => {
    if (checksLeft-- <= 0) throw new SupersededError('a newer operation');
  };
  return {
    log: pino({ level: 'debug' }, { write: (line: string) => logs.push(line) }),
    signal: aborter.signal,
    lastAttempt: settings.lastAttempt ?? false,
    async progress(step, extra) {
      steps.push(extra?.detail ? `${step}: ${extra.detail}` : step);
      if (extra?.output !== undefined) outputs.push(extra.output);
    },
    checkFence,
    checkEpoch: checkFence,
    async takePrivate(name) {
      return privates.get(name) ?? null;
    },
    async putPrivate(name, bytes) {
      privates.set(name, Buffer.from(bytes));
    },
    runFirst: settings.runFirst ?? (() => Promise.reject(new Error('no job is to run first'))),
    steps,
    outputs,
    logs,
    privates,
    supersedeAfter: (checks) => {
      checksLeft = checks;
    },
    cancel: () => aborter.abort('cancelled'),
    shutDown: () => aborter.abort('shutdown'),
  };
};
