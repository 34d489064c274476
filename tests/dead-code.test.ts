import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';

/** `./scripts/test` runs knip over the project; that it finds anything is shown here, in a small one with our settings. */

const root = join(import.meta.dirname, '..');
let planted: string;

beforeAll(async () => {
  planted = await mkdtemp(join(tmpdir(), 'berth-dead-code-'));
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const files = {
    'package.json': JSON.stringify({
      name: 'planted',
      type: 'module',
      dependencies: { zod: '*', bytes: '*' },
      devDependencies: { typescript: devDependencies.typescript },
    }),
    'services/bot/main.ts':
      "import { z } from 'zod';\nimport { used } from '../../shared/values.ts';\nz.parse(used);\n",
    'services/bot/page/main.js': "import './drawn.js';\n",
    'services/bot/page/drawn.js': "document.title = '';\n",
    'services/bot/page/forgotten.js': "document.title = '';\n",
    'services/bot/forgotten.ts': 'export const nobody = 1;\n',
    'shared/values.ts':
      'export const used = 1;\nexport const unused = 2;\nexport type Unused = string;\nexport const here = 3;\nconst again = here;\nvoid again;\n',
    'shared/values.test.ts': "import 'undeclared';\n",
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(planted, name)), { recursive: true });
    await writeFile(join(planted, name), text);
  }
  await cp(join(root, 'knip.json'), join(planted, 'knip.json'));
  await cp(join(root, 'tsconfig.json'), join(planted, 'tsconfig.json'));
  await symlink(join(root, 'node_modules'), join(planted, 'node_modules'));
});
afterAll(() => rm(planted, { recursive: true, force: true }));

it('files, exports and packages that nobody uses are each found, and what is used is not', async () => {
  const { stdout, exitCode } = await execa(
    join(root, 'node_modules/.bin/knip'),
    ['--no-progress', '--no-config-hints', '--reporter', 'json'],
    { cwd: planted, reject: false },
  );
  expect(exitCode).toBe(1);
  type Issue = Record<string, { name: string }[]> & { file: string };
  const { issues } = JSON.parse(stdout) as { issues: Issue[] };
  const found = issues.flatMap(({ file, ...kinds }) =>
    Object.entries(kinds).flatMap(([kind, list]) =>
      Array.isArray(list) ? list.map(({ name }) => `${kind}: ${kind === 'files' ? file : name}`) : [],
    ),
  );
  expect(found.sort()).toEqual([
    'dependencies: bytes',
    'exports: unused',
    'files: services/bot/forgotten.ts',
    'files: services/bot/page/forgotten.js',
    'types: Unused',
    'unlisted: undeclared',
  ]);
}, 60_000);
