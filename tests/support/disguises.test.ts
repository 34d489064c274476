import { createCipheriv } from 'node:crypto';
import { expect, it } from 'vitest';
import { findLeaks } from './disguises.ts';

const text = 'pässwörd "q3Xk/9+f~vW"';
const secret = [{ name: 'it', text }];
const find = (bytes: Buffer | string) =>
  findLeaks(secret, [{ place: 'there', bytes: Buffer.from(bytes as string) }]);

it.each([
  ['as it is', text],
  ['amid other bytes', Buffer.concat([Buffer.alloc(3, 0xff), Buffer.from(text), Buffer.alloc(3)])],
  ['in UTF-16', Buffer.from(`x${text}`, 'utf16le')],
  ['in hex', Buffer.from(`x${text}y`).toString('hex')],
  ...['', 'a', 'ab', 'abc'].flatMap((before): [string, string][] => [
    [`in base64 behind “${before}”`, Buffer.from(`${before}${text}`).toString('base64')],
    [`in base64url amid “${before}”`, Buffer.from(`${before}${text}${before}`).toString('base64url')],
  ]),
  ['in a query', new URLSearchParams({ text }).toString()],
  ['in a path', `/a/${encodeURIComponent(text)}/b`],
  ['in JSON', JSON.stringify({ a: [text] })],
  ['in JSON within JSON', JSON.stringify({ a: JSON.stringify({ text }) })],
])('a secret is found %s', (_how, bytes) => {
  expect(find(bytes)).toEqual([expect.stringMatching(/^it in there, /)]);
});

it('nothing is found where it lies encrypted, or not at all', () => {
  const cipher = createCipheriv('aes-256-gcm', Buffer.alloc(32), Buffer.alloc(12));
  expect(find(cipher.update(text))).toEqual([]);
  expect(find('pässwörd "q3Xk/9+f~vV"')).toEqual([]);
});
