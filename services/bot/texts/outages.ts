import { formatDuration } from '../format/numbers.ts';
import { bold, type FmtString, fmt } from '../format/rich-text.ts';
import type { Trouble } from '../troubles.ts';

/** What people and administrators read while something that Berth needs is out. */

const cause: Record<Trouble, string> = {
  away: 'Redis does not answer',
  full: 'Redis is full',
  'read-only': 'Redis takes no changes',
  'cannot-save': 'Redis cannot save to its disk',
  'docker-away': 'Docker does not answer',
  'no-worker': 'No worker answers',
};

/** In the place of the step that an operation is at. */
export const waitsFor = (trouble: Trouble): FmtString =>
  fmt`🔴 ${cause[trouble]}; your command waits, and goes on by itself`;

/** Below a command that has begun. */
export const resultWaitsFor = (trouble: Trouble): FmtString =>
  fmt`\n🔴 ${cause[trouble]}; the result comes when that is over`;

/** Above the state of a VM. */
export const asLastKnown = (trouble: Trouble): FmtString =>
  fmt`🔴 ${cause[trouble]}: this is what was known last.`;

const remedy: Record<Trouble, string> = {
  away: 'See whether it runs and can be reached at REDIS_URL.',
  full: "Give it more memory (maxmemory), or remove from it what is not Berth's.",
  'read-only': 'It is a replica, or misses its own replicas: REDIS_URL must lead to one that takes writes.',
  'cannot-save': 'Its disk may be full: its log says more.',
  'docker-away': 'See how the Docker service is on that host; VMs that run may well run on.',
  'no-worker': 'See whether the workers run there (npm run worker) and can reach Redis.',
};

const whatIsOut = (trouble: Trouble, host: string | null): FmtString =>
  host === null ? fmt`${cause[trouble]}` : fmt`${cause[trouble]} on host ${bold(host)}`;

/** To the administrators, once for an outage. */
export const outageBegan = (trouble: Trouble, host: string | null): FmtString =>
  fmt`🔴 ${whatIsOut(trouble, host)}.\n${remedy[trouble]}\nCommands are still taken; they wait, and go on by themselves.`;

const relief: Record<Trouble, string> = {
  away: 'Redis answers again',
  full: 'Redis takes changes again',
  'read-only': 'Redis takes changes again',
  'cannot-save': 'Redis takes changes again',
  'docker-away': 'Docker answers again',
  'no-worker': 'A worker answers again',
};

/** `lastedMs`: null where nobody knows, as after a restart of the bot. */
export const outageEnded = (trouble: Trouble, host: string | null, lastedMs: number | null): FmtString => {
  const where = host === null ? '' : fmt` on host ${bold(host)}`;
  const lasted = lastedMs === null ? '' : `, after ${formatDuration(lastedMs)}`;
  return fmt`🟢 ${relief[trouble]}${where}${lasted}. What waited goes on.`;
};

/** In the administrators' overview. */
export const redisTroubleInWords = (trouble: Trouble): FmtString =>
  fmt`\n🔴 ${cause[trouble]}: no work reaches the workers, and what follows is from before. Work waits until that is over. ${remedy[trouble]}`;

/** Sent past the database, which cannot be written: to whoever wrote, and to the administrators. */
export const storageOut = (full: boolean): FmtString =>
  full
    ? fmt`🔴 Berth's disk is full. Your message is kept, and answered when there is room again.`
    : fmt`🔴 Berth cannot write its database. Your message is kept, and answered when it can again.`;
export const storageOutForAdministrators = (full: boolean): FmtString =>
  full
    ? fmt`🔴 Berth's disk is full: nothing can be taken in until there is room where DATA_DIR lies. Berth goes on by itself then; it need not be restarted.`
    : fmt`🔴 Berth cannot write its database in DATA_DIR; its log says why. It goes on by itself when it can again.`;
export const storageBack = fmt`🟢 Berth can write its database again. What waited is being answered.`;
