import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startDemoBerth } from './berth.ts';
import { playDay } from './day.ts';
import { openTranscript } from './transcript.ts';

/**
 * `npm run demo [-- --to FILE]`: plays a day in the practice chat of a Berth of its own, against the machine's Docker engine,
 * and leaves nothing but a transcript. Needs what `./scripts/test` sets up: Redis, ssh, sshpass.
 */

const { values } = parseArgs({ options: { to: { type: 'string' } } });
const stamp = new Date().toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
const path = resolve(values.to ?? join(tmpdir(), `berth-demo-${stamp}.md`));

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const begun = performance.now();
const transcript = openTranscript(path, print);
const berth = await startDemoBerth();
print(`A Berth of its own was started for the demonstration: ${berth.instance}`);
let ending: Promise<void> | undefined;
const stop = (): Promise<void> => (ending ??= berth.stop());
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stop().then(() => process.exit(130)));
}
try {
  await playDay(berth, transcript);
} finally {
  await stop();
}
print(`\nA day in ${Math.round((performance.now() - begun) / 1_000)} s. Transcript: ${path}`);
