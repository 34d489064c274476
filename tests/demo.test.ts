import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { findContainers, findVolumes } from './support/docker.ts';

/** The demonstration as people run it. */

it('plays a whole day, tells it without a secret, and leaves nothing but its transcript', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-demo-test-'));
  const to = join(folder, 'day.md');
  const { stdout } = await execa(process.execPath, ['scripts/demo/main.ts', '--to', to], {
    cwd: join(import.meta.dirname, '..'),
    env: { TMPDIR: folder },
  });
  const day = await readFile(to, 'utf8');
  expect(stdout).toContain(`Transcript: ${to}`);
  const chapters = [...day.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  expect(chapters).toHaveLength(6);
  const inOrder = [
    'asks for access',
    'You may use Berth now',
    '✅ box is running',
    'made over SSH',
    '✅ Done in',
    'seen in the browser',
    '✅ lab is running',
    '2 of 2 VMs stopped',
    '2 of 2 VMs started',
    'box is destroyed',
    'lab is destroyed',
    'Who did what',
  ];
  let from = 0;
  for (const text of inOrder) {
    from = day.indexOf(text, from);
    expect(from, text).toBeGreaterThan(-1);
  }
  for (const text of [day, stdout]) {
    // Passwords have 24 characters of this kind, tickets 43; fingerprints and ids are known by what is before them.
    const long = text.replaceAll(/SHA256:\S+/g, '').match(/\b[A-Za-z0-9]{24}\b|\/[td]\/[\w-]{20,}/g);
    expect(long).toBeNull();
    expect(text).toContain('••••••••');
  }
  const [instance] = /demo-[a-z0-9]{6}/.exec(stdout)!;
  expect(await findContainers(instance)).toEqual([]);
  expect(await findVolumes(instance)).toEqual([]);
  await rm(to);
  const { stdout: left } = await execa('find', [folder, '-mindepth', '1']);
  expect(left).toBe('');
  await rm(folder, { recursive: true });
}, 180_000);
