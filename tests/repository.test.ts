import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

/** What the repository says of itself is true. */

const root = join(import.meta.dirname, '..');
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

const schemas = [
  'services/bot/env.ts',
  'services/worker/env.ts',
  'services/gateway/env.ts',
  'services/practice/env.ts',
  'scripts/supervise/env.ts',
];

const variablesInCode = async (): Promise<string[]> => {
  const texts = await Promise.all(schemas.map(read));
  const names = texts.flatMap((text) =>
    [...text.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name]) => name!),
  );
  return [...new Set(names)].sort();
};

const tracked = async (...patterns: string[]): Promise<string[]> => {
  const { stdout } = await execa('git', ['ls-files', ...patterns], { cwd: root });
  return stdout.split('\n');
};

describe('every variable of the code', () => {
  it('is in .env.example, and nothing else is', async () => {
    const example = await read('.env.example');
    const listed = [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name!).sort();
    expect(listed).toEqual(await variablesInCode());
  });

  it('is explained in the README, and nothing else is', async () => {
    const readme = await read('README.md');
    const section = readme.slice(readme.indexOf('## Variables'), readme.indexOf('## How it works'));
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    const listed = rows.flatMap((line) =>
      [...line.split('|')[1]!.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name!),
    );
    expect(listed.sort()).toEqual(await variablesInCode());
  });
});

describe('the README', () => {
  it('names only npm scripts that exist', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    const named = [...(await read('README.md')).matchAll(/npm run ([a-z-]+)/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

describe('the code', () => {
  it('narrows no test, leaves nothing to do and silences no type', async () => {
    const files = (await tracked('*.ts', '*.js')).filter((file) => file !== 'tests/repository.test.ts');
    const signs =
      /\b(?:it|describe|test)\.(?:only|skip|todo)\(|\bTODO\b|\bFIXME\b|\bas any\b|@ts-(?:ignore|expect-error)/;
    const found: string[] = [];
    for (const file of files) if (signs.test(await read(file))) found.push(file);
    expect(found).toEqual([]);
  });

  it('has no file of more than 400 lines, tests aside', async () => {
    const found: string[] = [];
    for (const file of await tracked('*.ts', '*.js', '*.c', '*.sh', ':!*.test.ts')) {
      if ((await read(file)).split('\n').length > 400) found.push(file);
    }
    expect(found).toEqual([]);
  });
});
