import { parseArgs } from 'node:util';
import { startSecondEngine } from '../support/second-engine.ts';
import { describeOutcome } from './describe.ts';
import { runOnce } from './run.ts';

/** `npm run faults -- --seed 7 --minutes 30`: one run after another, each with the next seed, until the time is over. */

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    minutes: { type: 'string', default: '5' },
    /** Seconds of trouble in each run. */
    trouble: { type: 'string', default: '75' },
    /** Runs on an engine of its own and restarts that, too; takes root. */
    'second-engine': { type: 'boolean', default: false },
  },
});

const first = Number(values.seed);
const end = Date.now() + Number(values.minutes) * 60_000;
const print = (line: string) => process.stdout.write(`${line}\n`);
const engine = values['second-engine'] ? await startSecondEngine() : undefined;

const leaving = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => leaving.abort());

let broken = 0;
try {
  await engine?.importImage(process.env.VM_IMAGE || 'berth-vm:latest');
  const prologues = ['tour', 'sleeper', undefined] as const;
  for (let seed = first; (seed === first || Date.now() < end) && !leaving.signal.aborted; seed++) {
    const outcome = await runOnce({
      seed,
      troubleMs: Number(values.trouble) * 1_000,
      settleMs: 120_000,
      leaving: leaving.signal,
      ...(prologues[seed % 3] === undefined ? {} : { prologue: prologues[seed % 3]! }),
      say: (line) => print(`seed ${seed}: ${line}`),
      ...(engine === undefined ? {} : { engine }),
    });
    // Cut short, it had no time to become well again.
    if (leaving.signal.aborted) break;
    print(describeOutcome(outcome));
    if (outcome.broken.length > 0) broken += 1;
  }
} finally {
  await engine?.stop();
}
process.exitCode = broken > 0 ? 1 : 0;
