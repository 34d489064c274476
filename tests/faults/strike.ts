import { appendFileSync } from 'node:fs';
import { setFailpointHook } from '../../shared/failpoint.ts';
import { type Side, type Strike, strikesAt } from './plan.ts';

/**
 * Preloaded into a service (`node --import`) that the fault suite starts: strikes at the failpoints as the plan in
 * FAULT_PLAN says, and writes down what it reached and did before it does it, as a dead process tells nothing.
 */

/** `arm: docker: creating the volume`, or anything else to take that back. */
const armedAt = (message: string): string | null =>
  message.startsWith('arm: ') ? message.slice('arm: '.length) : null;

export type Order = { record: string; strikes: Strike[] };
export type Record = { reached: string } | { struck: Strike; name: string; at: number };

const { record, strikes } = JSON.parse(process.env.FAULT_PLAN ?? '') as Order;
const hits = new Map<string, number>();
let calm = false;

/** Where it stands still the next time it comes there, by order of whoever drives the run. */
let armed: string | null = null;

process.on('message', (message) => {
  if (message === 'calm') calm = true;
  else armed = armedAt(String(message));
});

const note = (line: Record): void => appendFileSync(record, `${JSON.stringify(line)}\n`);
const never = new Promise<never>(() => undefined);

/** The kind of error that such a side effect can have. */
const errorAt = (name: string, side: Side, hit: number): Error => {
  const [area] = name.split(':');
  if (area === 'redis') return new Error('Connection is closed.');
  if (area === 'store' || area === 'bot') {
    return Object.assign(new Error('planned: the storage is out'), { code: 'SQLITE_FULL' });
  }
  if (area === 'docker' && side === 'after' && hit % 2 === 0) {
    const json = { message: 'planned: said after it was done' };
    return Object.assign(new Error(json.message), { statusCode: 500, json });
  }
  return Object.assign(new Error('planned: socket hang up'), { code: 'ECONNRESET' });
};

let standing: Promise<void> | undefined;

/** Once at a time: the one who started this process wakes it once. The message has to leave before it stands still. */
const standStill = (ms: number): Promise<void> => {
  standing ??= new Promise<void>((resolve) => {
    process.send!({ standstill: ms }, () => {
      process.kill(process.pid, 'SIGSTOP');
      standing = undefined;
      resolve();
    });
  });
  return standing;
};

const strike = async (planned: Strike, name: string, hit: number): Promise<void> => {
  note({ struck: planned, name, at: Date.now() });
  switch (planned.act) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return never;
    case 'stop':
      return standStill(planned.ms);
    case 'delay':
      return new Promise((resolve) => setTimeout(resolve, planned.ms));
    case 'hang':
      return never;
    case 'error':
      throw errorAt(name, planned.side, hit);
  }
};

/** An answer that gets lost on its way: what came with it, a stream perhaps, is closed as its connection would be. */
const lose = (answer: unknown): void => {
  (answer as { destroy?: () => void } | null | undefined)?.destroy?.();
};

setFailpointHook(async (name, act) => {
  const hit = (hits.get(name) ?? 0) + 1;
  hits.set(name, hit);
  if (hit === 1) note({ reached: name });
  if (armed === name) {
    armed = null;
    await standStill(0);
  }
  if (calm) return act();
  const before = strikesAt(strikes, name, 'before', hit);
  if (before !== undefined) await strike(before, name, hit);
  const during = strikesAt(strikes, name, 'during', hit);
  if (during !== undefined) {
    act().catch(() => undefined); // nobody lives to hear of it
    await new Promise(setImmediate);
    await strike(during, name, hit);
  }
  const answer = await act();
  const after = strikesAt(strikes, name, 'after', hit);
  if (after === undefined) return answer;
  if (after.act === 'error' || after.act === 'hang') lose(answer);
  await strike(after, name, hit);
  return answer;
});
