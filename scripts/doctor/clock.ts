import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Finding, ok, warning } from './check.ts';

/** Whether this machine's clock can be right: waiting times and the order of what happened hang on it. */

/** Milliseconds that an answer may be on its way, and that whole seconds hide. */
const tolerance = 15_000;

const advice = 'Set the clock: timedatectl set-ntp true.';

/** Null where `theirs` agrees with this machine's clock, or is no time at all. */
export const judgeSkew = (who: string, theirs: number, ours = Date.now()): Finding | null => {
  const off = ours - theirs;
  if (Number.isNaN(off) || Math.abs(off) <= tolerance) return null;
  const seconds = Math.round(Math.abs(off) / 1_000);
  return warning('clock', `${seconds} s ${off > 0 ? 'ahead of' : 'behind'} ${who}`, advice);
};

/** Compares with the Docker engine, and with what was written on this machine before. */
export const checkClock = async (dataDir: string, engineTime: string | null): Promise<Finding> => {
  const files = [
    join(import.meta.dirname, '../../package.json'),
    join(dataDir, 'berth.db'),
    join(dataDir, 'berth.db-wal'),
  ];
  const written = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  const newest = Math.max(...written);
  if (newest > Date.now() + tolerance)
    return warning('clock', `behind a file that was written ${new Date(newest).toISOString()}`, advice);
  const skew = engineTime === null ? null : judgeSkew('the Docker engine', Date.parse(engineTime));
  return skew ?? ok('clock', new Date().toISOString());
};
