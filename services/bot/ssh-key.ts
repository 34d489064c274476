import { createHash, createPublicKey, type JsonWebKey } from 'node:crypto';
import type { SshKey } from '../../shared/user/user.ts';
import type { keyProblems } from './texts/keys.ts';

/**
 * Reads one line of an OpenSSH public key file: type, base64 of the key, comment. The key itself is looked into, as sshd
 * would silently skip a line that it cannot use. Formats: RFC 4253, RFC 5656, OpenSSH's PROTOCOL.u2f.
 */

export type KeyProblem = keyof typeof keyProblems;
type Reading = { key: SshKey } | { problem: KeyProblem };

const longestComment = 60;
const leastRsaBits = 2_048;
const mostRsaBits = 16_384;

/** The fields of the wire format, each with its length before it; null where they do not end with the bytes. */
const readFields = (bytes: Buffer): Buffer[] | null => {
  const fields: Buffer[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (offset + 4 > bytes.length) return null;
    const end = offset + 4 + bytes.readUInt32BE(offset);
    if (end > bytes.length) return null;
    fields.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  return fields;
};

const base64url = (bytes: Buffer): string => bytes.toString('base64url');

/** Whether the numbers make a key: a point that is on its curve, for example. */
const isKey = (key: JsonWebKey): boolean => {
  try {
    createPublicKey({ key, format: 'jwk' });
    return true;
  } catch {
    return false; // not a key; why is of no use to anybody
  }
};

const curves: Record<string, { crv: string; bits: number }> = {
  nistp256: { crv: 'P-256', bits: 256 },
  nistp384: { crv: 'P-384', bits: 384 },
  nistp521: { crv: 'P-521', bits: 521 },
};

const ed25519Bits = ([, point]: Buffer[]): number | KeyProblem =>
  point?.length === 32 && isKey({ kty: 'OKP', crv: 'Ed25519', x: base64url(point) }) ? 256 : 'malformed';

const ecdsaBits = ([, name, point]: Buffer[], expected: string): number | KeyProblem => {
  const curve = curves[expected];
  if (curve === undefined || name?.toString() !== expected || point === undefined) return 'malformed';
  const size = Math.ceil(curve.bits / 8);
  if (point.length !== 1 + 2 * size || point[0] !== 4) return 'malformed';
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)];
  return isKey({ kty: 'EC', crv: curve.crv, x: base64url(x), y: base64url(y) }) ? curve.bits : 'malformed';
};

const rsaBits = ([, exponent, modulus]: Buffer[]): number | KeyProblem => {
  if (exponent === undefined || modulus === undefined) return 'malformed';
  const digits = modulus[0] === 0 ? modulus.subarray(1) : modulus;
  const [first] = digits;
  if (first === undefined || !isKey({ kty: 'RSA', n: base64url(digits), e: base64url(exponent) })) {
    return 'malformed';
  }
  const bits = digits.length * 8 - Math.clz32(first) + 24;
  if (bits < leastRsaBits) return 'weak';
  return bits > mostRsaBits ? 'malformed' : bits;
};

/** Per type how many fields it has, and what its bits are. */
const types: Record<string, { fields: number; bits: (fields: Buffer[]) => number | KeyProblem }> = {
  'ssh-ed25519': { fields: 2, bits: ed25519Bits },
  'ssh-rsa': { fields: 3, bits: rsaBits },
  'ecdsa-sha2-nistp256': { fields: 3, bits: (fields) => ecdsaBits(fields, 'nistp256') },
  'ecdsa-sha2-nistp384': { fields: 3, bits: (fields) => ecdsaBits(fields, 'nistp384') },
  'ecdsa-sha2-nistp521': { fields: 3, bits: (fields) => ecdsaBits(fields, 'nistp521') },
  'sk-ssh-ed25519@openssh.com': { fields: 3, bits: ed25519Bits },
  'sk-ecdsa-sha2-nistp256@openssh.com': { fields: 4, bits: (fields) => ecdsaBits(fields, 'nistp256') },
};

const knownTypes = /(?:^|\s)(?:ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+\s+AAAA/;

/** What people paste: quotes around it and spaces before it do no harm. */
const tidy = (text: string): string => text.trim().replace(/^["'`]+|["'`]+$/g, '');

export const readPublicKey = (text: string): Reading => {
  const line = tidy(text);
  if (/PRIVATE KEY-----|PuTTY-User-Key-File/.test(line)) return { problem: 'private' };
  if (/[\r\n]/.test(line)) return { problem: 'several' };
  const [, type = '', base64 = '', rest = ''] = /^(\S+)\s+(\S+)(?:\s+(.*))?$/.exec(line) ?? [];
  const declared = Object.hasOwn(types, type) ? types[type] : undefined;
  if (declared === undefined) {
    if (/^(ssh-|ecdsa-|sk-)/.test(type)) return { problem: 'type' };
    return { problem: knownTypes.test(line) ? 'options' : 'malformed' };
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return { problem: 'malformed' };
  const bytes = Buffer.from(base64, 'base64');
  const fields = readFields(bytes);
  if (fields === null || fields.length !== declared.fields || fields[0]?.toString() !== type) {
    return { problem: 'malformed' };
  }
  const bits = declared.bits(fields);
  if (typeof bits === 'string') return { problem: bits };
  // A comment is for people: no control characters, and not endless.
  const comment = [...rest.replace(/\p{C}/gu, '').trim()].slice(0, longestComment).join('');
  const fingerprint = `SHA256:${createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '')}`;
  return {
    key: { fingerprint, type, bits, comment, line: `${type} ${bytes.toString('base64')} ${comment}`.trim() },
  };
};
