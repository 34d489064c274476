import prettyMilliseconds from 'pretty-ms';

/** Numbers as people write them. */

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `3.4 GB`: powers of 1024, as Docker counts, at most one decimal. */
export const formatBytes = (bytes: number): string => {
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  const rounded = value < 100 ? Math.round(value * 10) / 10 : Math.round(value);
  // One byte short of a gigabyte is no 1024 MB.
  return rounded === 1024 && power < units.length - 1
    ? `1 ${units[power + 1]}`
    : `${rounded} ${units[power]}`;
};

const words: Record<string, string> = { ms: 'ms', s: 's', m: 'min', h: 'h', d: 'd' };

/** `2 min 10 s`, the two largest units; below a second `0.4 s`, below a tenth `12 ms`. */
export const formatDuration = (ms: number): string => {
  const clean = Math.max(0, ms);
  if (clean < 100) return `${Math.round(clean)} ms`;
  if (clean < 10_000) return `${Math.round(clean / 100) / 10} s`;
  return prettyMilliseconds(clean, { unitCount: 2, secondsDecimalDigits: 0, hideYear: true })
    .split(' ')
    .map((part) =>
      part.replace(/^(\d+)([a-z]+)$/, (_all, number, unit) => `${number} ${words[unit] ?? unit}`),
    )
    .join(' ');
};
