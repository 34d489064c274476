import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/**
 * The failpoints there are, read from the code: each call of `sideEffect`, and each call that passes through one of its
 * choke points, which names it after what is asked of Docker or Telegram. A name made with values is known by its
 * pattern, `docker: running *`.
 */

export type Role = 'bot' | 'worker';
export type KnownPoint = { name: string; file: string; roles: Role[] };

const root = join(import.meta.dirname, '../..');

/** What stands before the name at a call, and before the call's own name. */
const calls: readonly [RegExp, string][] = [
  [/\bsideEffect(?:<[^>]*>)?\(\s*(['`])(.*?)\1/gs, ''],
  [/\bengine\s*\.call(?:<[^>]*>)?\(\s*(['`])(.*?)\1/gs, 'docker: '],
  [/\b(?:api|calls)\s*\.call(?:<[^>]*>)?\(\s*(['`])(.*?)\1/gs, 'telegram: '],
];

/** The choke points themselves: their callers give the names. */
const isOpen = (name: string): boolean => /^\w+: \*$/.test(name);

const rolesOf = (file: string): Role[] => {
  if (file.startsWith('services/bot/')) return ['bot'];
  if (file.startsWith('services/worker/')) return ['worker'];
  return byFile[file] ?? ['bot', 'worker'];
};

/** Which process runs what the queues offer; both where a file is not named. */
const byFile: Record<string, Role[]> = {
  'queues/fence.ts': ['bot'],
  'queues/cancellation.ts': ['bot'],
  'queues/producer.ts': ['bot'],
  'queues/consumer.ts': ['worker'],
  'queues/progress.ts': ['worker'],
};

/** `bot: take a report` stands in a file of both. */
const roleOfName = (name: string): Role[] | undefined => {
  if (name.startsWith('bot: ')) return ['bot'];
  return name === 'redis: report an outcome' || name === 'redis: hint' ? ['worker'] : undefined;
};

export const findKnownPoints = async (): Promise<KnownPoint[]> => {
  const { stdout } = await execa('git', ['ls-files', 'services/bot', 'services/worker', 'queues', 'shared'], {
    cwd: root,
  });
  const files = stdout
    .split('\n')
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('/testing/'));
  const points = new Map<string, KnownPoint>();
  for (const file of files) {
    const source = await readFile(join(root, file), 'utf8');
    for (const [pattern, area] of calls) {
      for (const [, , text] of source.matchAll(pattern)) {
        const name = `${area}${text!.replace(/\$\{[^}]*\}/g, '*')}`;
        if (isOpen(name)) continue;
        const known = points.get(name);
        const roles = new Set([...(known?.roles ?? []), ...(roleOfName(name) ?? rolesOf(file))]);
        points.set(name, { name, file: known?.file ?? file, roles: [...roles] });
      }
    }
  }
  return [...points.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
};

/** Whether a name that was passed at run time is the known one. */
export const isPoint = (known: string, name: string): boolean =>
  known.includes('*')
    ? new RegExp(`^${known.split('*').map(RegExp.escape).join('.*')}$`).test(name)
    : known === name;
