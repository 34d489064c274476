import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makePrivate } from './private-file.ts';

/**
 * Copies of the database from before it was brought forward, for the way back to the older Berth: one for each first
 * step, `before-<step>-<time>.db`, and the newest three of them.
 */

const mostCopies = 3;
const pattern = /^before-(.+)-(\d{8}T\d{6}Z)\.db$/;

type Copy = { name: string; step: string; at: string };

const copiesIn = (folder: string): Copy[] =>
  readdirSync(folder)
    .flatMap((name) => {
      const [, step, at] = pattern.exec(name) ?? [];
      return step === undefined || at === undefined ? [] : [{ name, step, at }];
    })
    .sort((a, b) => (a.at < b.at ? 1 : -1));

/**
 * Gives the copy's path. It appears when it is whole. One of a former attempt at the same step goes: that attempt
 * failed, and the database has stayed what it was, or has gone on since.
 */
export const keepCopy = (wish: {
  folder: string;
  step: string;
  now: Date;
  copy: (path: string) => void;
}): string => {
  const { folder, step, now, copy } = wish;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const at = now.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
  const path = join(folder, `before-${step}-${at}.db`);
  rmSync(`${path}.new`, { force: true });
  makePrivate(`${path}.new`);
  copy(`${path}.new`);
  renameSync(`${path}.new`, path);
  const others = copiesIn(folder).filter(({ name }) => name !== basename(path));
  const replaced = others.filter((other) => other.step === step);
  const old = others.filter((other) => other.step !== step).slice(mostCopies - 1);
  for (const { name } of [...replaced, ...old]) rmSync(join(folder, name));
  return path;
};
