import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPublicKey } from './ssh-key.ts';

/** Keys are made by the real ssh-keygen, and it says what their fingerprints are. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-keys-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
const makeKey = (...options: string[]) => {
  made += 1;
  const path = join(folder, `key-${made}`);
  execFileSync('ssh-keygen', ['-q', '-N', '', '-C', 'ada@laptop', '-f', path, ...options]);
  const [bits, fingerprint] = execFileSync('ssh-keygen', ['-l', '-f', `${path}.pub`])
    .toString()
    .split(' ');
  return {
    line: readFileSync(`${path}.pub`, 'utf8'),
    secret: readFileSync(path, 'utf8'),
    bits: Number(bits),
    fingerprint,
  };
};

const fields = (...parts: (string | Buffer)[]): string =>
  Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(part));
      return [length, Buffer.from(part as never)];
    }),
  ).toString('base64');

describe('a public key', () => {
  it.each([
    ['ed25519', ['-t', 'ed25519']],
    ['RSA of 2,048 bits', ['-t', 'rsa', '-b', '2048']],
    ['RSA of 3,072 bits', ['-t', 'rsa', '-b', '3072']],
    ['ECDSA 256', ['-t', 'ecdsa', '-b', '256']],
    ['ECDSA 384', ['-t', 'ecdsa', '-b', '384']],
    ['ECDSA 521', ['-t', 'ecdsa', '-b', '521']],
  ])('%s is read as ssh-keygen reads it', (_name, options) => {
    const { line, bits, fingerprint } = makeKey(...options);
    expect(readPublicKey(line)).toEqual({
      key: { fingerprint, bits, type: line.split(' ')[0], comment: 'ada@laptop', line: line.trim() },
    });
  });

  it('of a security key is taken, and sshd can use the line', () => {
    const point = Buffer.from(makeKey('-t', 'ed25519').line.split(' ')[1]!, 'base64').subarray(-32);
    const type = 'sk-ssh-ed25519@openssh.com';
    const read = readPublicKey(`${type} ${fields(type, point, 'ssh:')} token`);
    expect(read).toMatchObject({ key: { type, bits: 256, comment: 'token' } });
    const path = join(folder, 'sk.pub');
    writeFileSync(path, 'key' in read ? read.key.line : '');
    const said = execFileSync('ssh-keygen', ['-l', '-f', path]).toString();
    expect('key' in read && said.includes(read.key.fingerprint)).toBe(true);
  });

  it('may stand in quotes, have no comment, or a strange one', () => {
    const { line } = makeKey('-t', 'ed25519');
    const bare = line.split(' ').slice(0, 2).join(' ');
    expect(readPublicKey(`  "${bare}" `)).toMatchObject({ key: { comment: '', line: bare } });
    expect(readPublicKey(`${bare} $(reboot) 'x' 💥\u0007`)).toMatchObject({
      key: { comment: "$(reboot) 'x' 💥", line: `${bare} $(reboot) 'x' 💥` },
    });
    expect(readPublicKey(`${bare} ${'x'.repeat(500)}`)).toMatchObject({ key: { comment: 'x'.repeat(60) } });
  });
});

describe('what is refused', () => {
  it('a private key, of whatever kind', () => {
    for (const options of [
      ['-t', 'ed25519'],
      ['-t', 'rsa', '-b', '2048', '-m', 'PEM'],
    ]) {
      expect(readPublicKey(makeKey(...options).secret)).toEqual({ problem: 'private' });
    }
    expect(readPublicKey('PuTTY-User-Key-File-3: ssh-ed25519')).toEqual({ problem: 'private' });
  });

  it('RSA that is too short', () => {
    expect(readPublicKey(makeKey('-t', 'rsa', '-b', '1024').line)).toEqual({ problem: 'weak' });
  });

  it.each([
    ['nothing', '', 'malformed'],
    ['words', 'my key please', 'malformed'],
    ['a type alone', 'ssh-ed25519', 'malformed'],
    ['no base64', 'ssh-ed25519 ***', 'malformed'],
    ['DSA', `ssh-dss ${fields('ssh-dss', 'p', 'q', 'g', 'y')}`, 'type'],
    ['a certificate', 'ssh-ed25519-cert-v01@openssh.com AAAA', 'type'],
    ['another type inside than outside', `ssh-ed25519 ${fields('ssh-rsa', 'e', 'n')}`, 'malformed'],
    ['a key that is too short', `ssh-ed25519 ${fields('ssh-ed25519', Buffer.alloc(31))}`, 'malformed'],
    ['fields beyond the end', `ssh-ed25519 ${Buffer.from([0, 0, 0, 99, 1]).toString('base64')}`, 'malformed'],
    [
      'a point that is on no curve',
      `ecdsa-sha2-nistp256 ${fields('ecdsa-sha2-nistp256', 'nistp256', Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]))}`,
      'malformed',
    ],
    ['the name of something every object has', 'constructor AAAA', 'malformed'],
  ])('%s', (_name, text, problem) => expect(readPublicKey(text)).toEqual({ problem }));

  it('a cut one', () => {
    const { line } = makeKey('-t', 'ed25519');
    expect(readPublicKey(line.slice(0, 50))).toEqual({ problem: 'malformed' });
  });

  it('options before the key: they could run commands', () => {
    const { line } = makeKey('-t', 'ed25519');
    expect(readPublicKey(`command="reboot" ${line}`)).toEqual({ problem: 'options' });
  });

  it('several at once', () => {
    expect(readPublicKey(`${makeKey('-t', 'ed25519').line}${makeKey('-t', 'ed25519').line}`)).toEqual({
      problem: 'several',
    });
  });
});
