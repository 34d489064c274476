import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { judge } from '../scripts/event-shapes/judge.ts';
import { readShapes, type Shapes } from '../scripts/event-shapes/read.ts';
import { upcasters } from '../services/bot/store/upcasters.ts';

/** What the repository says of itself is true. */

const root = join(import.meta.dirname, '..');
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

const schemas = [
  'services/bot/env.ts',
  'services/worker/env.ts',
  'services/gateway/env.ts',
  'services/gateway/dashboard/env.ts',
  'services/gateway/tunnel/env.ts',
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

/** All that people write; a file that was deleted and not committed yet is none. */
const textFiles = async (): Promise<string[]> =>
  (await tracked(':!package-lock.json', ':!*.png')).filter((file) => existsSync(join(root, file)));

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

describe('a variable', () => {
  /** Names in capitals that are no settings: of other programs, and capabilities of the kernel. */
  const others = /^(NODE|NPM|NOTIFY|BERTH)_|^(NET|SYS|DAC)_/;
  it('that the docs or the compose file name in so many words is one of the code', async () => {
    const known = await variablesInCode();
    const texts = await tracked('docs/*.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docker-compose.yml');
    const found: string[] = [];
    for (const file of texts.filter((name) => name !== '')) {
      const text = await read(file);
      const named = file.endsWith('.yml')
        ? [...text.matchAll(/\$\{([A-Z][A-Z_]+)/g)]
        : [...text.matchAll(/`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`/g)];
      for (const [, name] of named)
        if (!known.includes(name!.replace(/_FILE$/, '')) && !others.test(name!))
          found.push(`${file}: ${name}`);
    }
    expect(found).toEqual([]);
  });
});

describe('every event', () => {
  it('can be read in all the shapes that it ever had, and its present one is written down', async () => {
    const recorded = JSON.parse(await read('tests/fixtures/event-shapes.json')) as Shapes;
    const { unrecorded, faults } = readShapes(root, recorded, (shapes) => judge(recorded, shapes, upcasters));
    expect(faults.join('\n')).toBe('');
    expect(unrecorded, '`npm run event-shapes` writes them down').toEqual([]);
  });
});

describe('the README', () => {
  it('names only npm scripts that exist', async () => {
    const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> };
    const readme = await read('README.md');
    const named = [...readme.matchAll(/npm run ([a-z-]+)/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it.each(['README.md', 'docs/architecture.md', 'CONTRIBUTING.md'])(
    'and the map point only to what is there: %s',
    async (page) => {
      const text = await read(page);
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) =>
        join(dirname(page), path!),
      );
      const programs = [...text.matchAll(/(?<![\w/])\.\/(scripts\/[\w-]+)/g)].map(([, path]) => path!);
      expect(links.length).toBeGreaterThan(0);
      const files = await tracked();
      const isThere = (path: string) => files.some((file) => file === path || file.startsWith(`${path}/`));
      expect([...links, ...programs].filter((path) => !isThere(normalize(path)))).toEqual([]);
    },
  );
});

describe('the code', () => {
  it('narrows no test, leaves nothing to do and silences no type', async () => {
    const signs =
      /\b(?:it|describe|test)\.(?:only|skip|skipIf|runIf|fails|todo)\b|\bTODO\b|\bFIXME\b|\bas any\b|@ts-(?:ignore|expect-error|nocheck)/;
    const found: string[] = [];
    for (const file of await textFiles())
      if (file !== 'tests/repository.test.ts' && signs.test(await read(file))) found.push(file);
    expect(found).toEqual([]);
  });

  it('is in files that are read in one go', async () => {
    // A test is a list of sentences, a style sheet one of rules: both are looked up rather than read through.
    const limit = (file: string) => (file.endsWith('.css') ? 600 : file.endsWith('.test.ts') ? 500 : 400);
    const found: string[] = [];
    for (const file of await textFiles()) {
      const lines = (await read(file)).split('\n').length - 1;
      if (lines > limit(file)) found.push(`${file}: ${lines}`);
    }
    expect(found).toEqual([]);
  });
});
