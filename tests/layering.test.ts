import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Dependencies point one way: services → queues → shared; services never import each other; the domain has no I/O. */

const root = join(import.meta.dirname, '..');
const domain = '^shared/(vm|user|plan|settings|image|link|stray)/|^shared/decider[.]ts$';

const forbidden = [
  { name: 'shared-imports-upwards', from: { path: '^shared/' }, to: { path: '^(queues|services)/' } },
  { name: 'queues-import-services', from: { path: '^queues/' }, to: { path: '^services/' } },
  {
    name: 'services-import-each-other',
    from: { path: '^services/([^/]+)/' },
    to: { path: '^services/', pathNot: '^services/$1/' },
  },
  {
    name: 'domain-has-io',
    from: { path: domain, pathNot: '[.]test[.]ts$' },
    to: { pathNot: `${domain}|node_modules/zod/` },
  },
  { name: 'no-cycles', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
].map((rule) => ({ severity: 'error' as const, ...rule }));

const violations = async (folders: string[], baseDir: string) => {
  const { output } = await cruise(folders, {
    baseDir,
    ruleSet: { forbidden },
    validate: true,
    exclude: { path: '[.]test[.]ts$' },
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    parser: 'swc',
  } as Parameters<typeof cruise>[1]);
  if (typeof output === 'string') throw new Error(output);
  return {
    modules: output.summary.totalCruised,
    found: output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
  };
};

describe('the layers', () => {
  it('hold in the whole project', async () => {
    const { modules, found } = await violations(['services', 'queues', 'shared'], root);
    expect(modules).toBeGreaterThan(100);
    expect(found).toEqual([]);
  }, 60_000);

  describe('with violations planted', () => {
    let planted: string;
    beforeAll(async () => {
      planted = await mkdtemp(join(root, 'node_modules/.layering-'));
      const files = {
        'services/bot/a.ts': "import '../worker/b.ts';\n",
        'services/worker/b.ts': 'export const b = 1;\n',
        'queues/c.ts': "import '../services/worker/b.ts';\n",
        'shared/d.ts': "import type { c } from '../queues/c.ts';\nexport type D = typeof c;\n",
        'shared/vm/e.ts': "import 'node:fs';\n",
      };
      for (const [name, text] of Object.entries(files)) {
        await mkdir(join(planted, name, '..'), { recursive: true });
        await writeFile(join(planted, name), text);
      }
    });
    afterAll(() => rm(planted, { recursive: true, force: true }));

    it('are each found', async () => {
      const { found } = await violations(['services', 'queues', 'shared'], planted);
      expect(found.map((line) => line.split(':')[0]).sort()).toEqual([
        'domain-has-io',
        'queues-import-services',
        'services-import-each-other',
        'shared-imports-upwards',
      ]);
    }, 60_000);
  });
});
