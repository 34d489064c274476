import { setTimeout as pause } from 'node:timers/promises';
import { anyMessage, type Bench, type Matches, timeUntil, untilEach, write } from './chat.ts';

/**
 * First replies while 30 people's work is in flight: at first all of them create a VM at once, which keeps Docker and
 * both workers as busy as they get; then a command of each runs in their VM, and sleeps.
 */

export const crewSize = 30;

/**
 * Milliseconds between two replies. Telegram allows 25 messages a second to all chats together, and the sender keeps
 * to that: answers one right after another, or to 30 people in one instant, would wait for their turn. After this long
 * there is room again, and what a reply waits for is Berth alone.
 */
const refill = 200;

const countLines = ({ berth }: Bench, msg: string, job: string): number =>
  berth
    .workers()
    .flatMap((worker) => worker.lines())
    .filter((line) => line.msg === msg && line.job === job).length;

const measureReplies = async (bench: Bench, people: readonly number[], add: (ms: number) => void) => {
  for (const id of people) {
    await pause(refill, undefined, { signal: bench.signal });
    add((await timeUntil(bench, id, '/plans', anyMessage))[0]!);
  }
};

const isRunning: Matches = ({ text }) => text.includes('is running');
const sleep = 'sleep 280';

/** Gives how many creations were still in flight after the last reply. The VMs stay. */
export const repliesWhileCreating = async (
  bench: Bench,
  crew: readonly number[],
  people: readonly number[],
  add: (ms: number) => void,
): Promise<number> => {
  const ended = () => countLines(bench, 'job ended', 'create-vm');
  const before = ended();
  const measure = async (): Promise<number> => {
    await untilEach(bench, crew, anyMessage);
    await measureReplies(bench, people, add);
    return crew.length - (ended() - before);
  };
  const all = Promise.all([measure(), untilEach(bench, crew, isRunning)]);
  for (const id of crew) write(bench, id, '/create box');
  return (await all)[0];
};

/** Throws when a command ended before the last reply. */
export const repliesWhileRunning = async (
  bench: Bench,
  crew: readonly number[],
  people: readonly number[],
  add: (ms: number) => void,
): Promise<void> => {
  const ended = () => countLines(bench, 'job ended', 'exec');
  const inFlight = () => countLines(bench, 'running a command', 'exec') - ended();
  const answered = untilEach(bench, crew, ({ text }) => text.includes(sleep));
  for (const id of crew) write(bench, id, `/exec ${sleep}`);
  await answered;
  // Which worker takes which command is theirs to say.
  await Promise.any(
    bench.berth.workers().map((worker) => worker.waitForLine(() => inFlight() >= crew.length, 60_000)),
  );
  await measureReplies(bench, people, add);
  if (inFlight() < crew.length) throw new Error('a command that should sleep has ended');
};
