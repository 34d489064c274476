import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { readAccess, sshWithKey } from './support/ssh.ts';
import { placesWith } from './support/stored.ts';

/** Keys of the real ssh-keygen on their way into VMs and out again. The steps build on each other. */

type Key = { file: string; line: string; secret: string };

let berth: Berth;
let folder: string;
let person: Participant;
let collector: Participant;
/** One more than are kept of one person. */
let many: Key[];
let access: ReturnType<typeof readAccess>;
let keys: Record<'ed25519' | 'rsa' | 'ecdsa' | 'stopped' | 'created', Key>;

const makeKey = async (name: string, options = ['-t', 'ed25519']): Promise<Key> => {
  const file = join(folder, name);
  await execa('ssh-keygen', ['-q', '-N', '', '-C', name, '-f', file, ...options]);
  return {
    file,
    line: (await readFile(`${file}.pub`, 'utf8')).trim(),
    secret: await readFile(file, 'utf8'),
  };
};

const says = (part: string) => (message: ChatMessage) => message.text.includes(part);
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);
const later = (message: ChatMessage, matches: (message: ChatMessage) => boolean) =>
  person.waitForMessage((other) => other.id === message.id && matches(other));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-keys-'));
  const made = Promise.all([
    makeKey('ed25519'),
    makeKey('rsa', ['-t', 'rsa', '-b', '3072']),
    makeKey('ecdsa', ['-t', 'ecdsa', '-b', '256']),
    makeKey('stopped'),
    makeKey('created'),
  ]);
  berth = await startBerth();
  await berth.admin.ask('/start');
  person = await berth.newUser('Kim');
  collector = await berth.newUser('Mo');
  access = readAccess(await person.ask('/create box', says('box is running'), { timeoutMs: 60_000 }));
  const [ed25519, rsa, ecdsa, stopped, created] = await made;
  keys = { ed25519, rsa, ecdsa, stopped, created };
  many = await Promise.all(Array.from({ length: 21 }, (_, index) => makeKey(`key-${index}`)));
  // Telegram takes a message a second: the answers come while other things are tried.
  for (const { line } of many.slice(0, 20)) await collector.send(`/ssh_key ${line}`);
});
afterAll(async () => {
  await berth?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('/ssh_key', () => {
  it('without a key says how one is made and sent', async () => {
    const answer = await person.ask('/ssh_key');
    expect(answer.text).toContain('no SSH key here yet');
    expect(answer.text).toContain('ssh-keygen');
  });

  it.each([
    ['ed25519', 'Ed25519'],
    ['rsa', 'RSA 3072'],
    ['ecdsa', 'ECDSA 256'],
  ] as const)(
    'puts a key of type %s into a VM that runs, and it opens it without a password',
    async (name, kind) => {
      const begun = performance.now();
      const answer = await person.ask(`/ssh_key ${keys[name].line}`, says('Added'));
      expect(answer.text).toContain(kind);
      const done = await later(answer, says('box: in force'));
      expect(performance.now() - begun).toBeLessThan(6_000);
      const { stdout } = await execa('ssh-keygen', ['-lf', `${keys[name].file}.pub`]);
      expect(done.text).toContain(stdout.split(' ')[1]);
      expect(await sshWithKey(access, keys[name].file, 'whoami')).toBe('dev');
    },
  );

  it('takes a public key that is sent by itself', async () => {
    expect((await person.ask(keys.rsa.line)).text).toContain('opens your VMs already');
  });

  it('says of a key that is there already that it is', async () => {
    const answer = await person.ask(`/ssh_key ${keys.rsa.line.replace(/rsa$/, 'another name')}`);
    expect(answer.text).toContain('opens your VMs already');
  });

  it('gives a stopped VM a new key at its next start', async () => {
    await person.ask('/stop', says('box is stopped'), { timeoutMs: 30_000 });
    const answer = await person.ask(`/ssh_key ${keys.stopped.line}`, says('Added'));
    expect(answer.text).toContain('next start');
    await person.ask('/start_vm', says('running again'), { timeoutMs: 30_000 });
    expect(await sshWithKey(access, keys.stopped.file, 'whoami')).toBe('dev');
  });

  it('lists the keys with a button each, and removing one locks it out at once', async () => {
    const list = await person.ask('/ssh_key');
    expect(labels(list)).toEqual(['🗑 ed25519', '🗑 rsa', '🗑 ecdsa', '🗑 stopped']);
    await person.pressAndWait(list, '🗑 ed25519');
    await person.waitForMessage(
      ({ text }) => text.includes('Removed: ed25519') && text.includes('box: in force'),
    );
    await expect(sshWithKey(access, keys.ed25519.file, 'whoami')).rejects.toThrow(/Permission denied/);
    expect(await sshWithKey(access, keys.ecdsa.file, 'whoami')).toBe('dev');
    const again = await person.pressAndWait(list, '🗑 ed25519');
    expect(again.text).toContain('not there any more');
    expect(labels(await person.ask('/ssh_key'))).toEqual(['🗑 rsa', '🗑 ecdsa', '🗑 stopped']);
  });

  it('gives a VM that is being created a key that comes meanwhile', async () => {
    const question = await person.ask('/destroy');
    await person.pressAndWait(question, '🗑 Yes, destroy box');
    await person.waitForMessage(says('box is destroyed'), { timeoutMs: 30_000 });
    await person.send('/create lab');
    const answer = await person.ask(`/ssh_key ${keys.created.line}`, says('Added'));
    // Between the two Docker makes a VM: by the time it is read the key may be in force.
    expect(answer.text).toMatch(/lab: (as soon as it is up|on its way|in force)/);
    const created = await person.waitForMessage(says('lab is running'), { timeoutMs: 60_000 });
    const lab = readAccess(created);
    await expect
      .poll(() => sshWithKey(lab, keys.created.file, 'hostname').catch(() => 'refused'), { timeout: 10_000 })
      .toBe('lab');
    expect(await sshWithKey(lab, keys.stopped.file, 'hostname')).toBe('lab');
    await person.waitForMessage(({ id, text }) => id === answer.id && text.includes('lab: in force'));
  });

  it.each([
    ['hello', 'no complete public key'],
    ['ssh-dss AAAAB3NzaC1kc3MAAACBAO', 'keys of this type are not taken'],
    ['ssh-ed25519', 'no complete public key'],
    ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI you@laptop', 'no complete public key'],
    ['command="reboot" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI you@laptop', 'something before the key'],
    ['ssh-ed25519 AAAA one\nssh-ed25519 AAAA two', 'more than one line'],
  ])('answers %j with the usage and what is wrong', async (text, problem) => {
    const answer = await person.ask(`/ssh_key ${text}`);
    expect(answer.text).toContain(problem);
    expect(answer.text).toContain('Example: /ssh_key ssh-ed25519');
  });

  it('keeps 20 keys of one person, and says so at the next one', async () => {
    await collector.waitForMessage(says('Added: key-19'), { timeoutMs: 40_000 });
    const refused = await collector.ask(`/ssh_key ${many[20]!.line}`);
    expect(refused.text).toContain('You have 20 keys here');
    const list = await collector.ask('/ssh_key');
    expect(labels(list)).toHaveLength(20);
    await collector.pressAndWait(list, '🗑 key-7');
    await collector.waitForMessage(says('Removed: key-7'));
    await collector.ask(`/ssh_key ${many[20]!.line}`, says('Added: key-20'));
  }, 60_000);
});

describe('a private key', () => {
  /** From the middle of it, where every key is another. */
  const middleOf = ({ secret }: Key) => secret.split('\n')[3]!.slice(0, 40);
  const untilDeleted = (message: ChatMessage) =>
    expect.poll(() => person.messages().some(({ id }) => id === message.id)).toBe(false);

  it.each([
    ['by itself', (key: Key) => key.secret],
    ['behind /ssh_key', (key: Key) => `/ssh_key ${key.secret}`],
    ['in two halves, the second one', (key: Key) => key.secret.split('\n').slice(3).join('\n')],
  ])('sent as text, %s, is warned of and taken out of the chat', async (_way, textOf) => {
    const sent = await person.send(textOf(keys.ed25519));
    const warning = await person.waitForMessage(
      ({ id, text }) => id > sent.id && text.includes('private key'),
    );
    expect(warning.text).toContain('.pub');
    await untilDeleted(sent);
  });

  it('sent as a file is warned of and taken out of the chat', async () => {
    const sent = await person.sendDocument('id_ed25519', Buffer.from(keys.ed25519.secret));
    await person.waitForMessage(({ id, text }) => id > sent.id && text.includes('private key'));
    await untilDeleted(sent);
  });

  it('is stored and logged nowhere', async () => {
    expect(await placesWith(berth, middleOf(keys.ed25519))).toEqual([]);
    // The search itself finds what is stored.
    expect(await placesWith(berth, keys.ecdsa.line.split(' ')[1]!)).not.toEqual([]);
  });
});
