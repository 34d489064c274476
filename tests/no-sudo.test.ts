import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { readAccess, ssh, sshWithKey } from './support/ssh.ts';

/** A plan without sudo, from the administrator's word to what its VM lets people do. */

let berth: Berth;
let eve: Participant;
let access: ReturnType<typeof readAccess>;
let card: ChatMessage;
let folder: string;

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const slow = { timeoutMs: 40_000 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-key-'));
  berth = await startBerth();
  eve = await berth.newUser('Eve', 2);
});
afterAll(async () => {
  await berth?.stop();
  await rm(folder, { recursive: true });
});

describe('a plan without sudo', () => {
  it('is made so by the administrator, and everybody sees it', async () => {
    expect((await berth.admin.ask('/config_plan 2 sudo perhaps')).text).toContain('say on or off');
    expect((await berth.admin.ask('/config_plan 2 sudo OFF')).text).toMatch(/2\. Standard .*, no sudo/);
    expect((await berth.admin.ask('/config_plan 2 sudo off')).text).toContain('That is so already');
    expect((await eve.ask('/plans')).text).toMatch(/2\. Standard .*, no sudo \(yours\)/);
    expect((await berth.admin.ask('/audit', says('Who did what'))).text).toContain('plan 2: sudo off');
  });

  it('gives VMs whose owner gets in, and is not root', async () => {
    card = await eve.ask('/create box', says('is running'), slow);
    expect(card.text).toContain('User dev, without sudo');
    access = readAccess(card);
    expect(await ssh(access, 'id -un; sudo -n id -un 2>/dev/null || echo refused')).toBe('dev\nrefused');
    expect((await eve.ask('/status', says('up '))).text).toContain('no sudo');
  });

  it('lets /exec, /password and /ssh_key work as everywhere', async () => {
    const ran = await eve.ask('/exec id -un; sudo -n id', says('Exit code'));
    expect(ran.text).toMatch(/dev\n/);
    const changed = await eve.ask('/password', says('🔑'), slow);
    const renewed = await eve.waitForMessage(
      ({ id, text }) => id === changed.id && text.includes('ssh -p') && !text.includes('⏳'),
    );
    expect(readAccess(renewed).password).not.toBe(access.password);
    expect(await ssh(readAccess(renewed), 'echo in')).toBe('in');
    const key = join(folder, 'key');
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    await eve.ask(`/ssh_key ${(await readFile(`${key}.pub`, 'utf8')).trim()}`, says('box'), slow);
    await expect
      .poll(() => sshWithKey(access, key, 'echo in').catch(() => ''), { timeout: 20_000 })
      .toBe('in');
  });

  it('stays so over a restart, and VMs of other plans have sudo', async () => {
    const { text, id } = await eve.ask('/restart', says('is running again'), slow);
    expect(text).toContain('without sudo');
    const again = await eve.waitForMessage((message) => message.id === id && says('again')(message));
    expect(await ssh(readAccess(again), 'sudo -n id -un 2>/dev/null || echo refused')).toBe('refused');
    const own = await berth.admin.ask('/create own', says('is running'), slow);
    expect(await ssh(readAccess(own), 'sudo -n id -un')).toBe('root');
  });
});
