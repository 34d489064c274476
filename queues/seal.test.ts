import { expect, it } from 'vitest';
import { catalog } from './catalog.ts';
import { createSeal, openFields, sealFields, UnreadableError } from './seal.ts';
import { createPayload } from './testing/processors.ts';

const seal = createSeal('s'.repeat(32), 'berth');
const bytes = Buffer.from('hush, pässwörd');

it('what was sealed opens again, and looks different every time', () => {
  const sealed = seal.seal('private value', ['exec:1'], bytes);
  expect(seal.open('private value', ['exec:1'], sealed)).toEqual(bytes);
  expect(sealed.includes('hush')).toBe(false);
  expect(seal.seal('private value', ['exec:1'], bytes)).not.toEqual(sealed);
});

it.each([
  ['with another secret', createSeal('t'.repeat(32), 'berth'), 'private value', ['exec:1']],
  ['for another instance', createSeal('s'.repeat(32), 'other'), 'private value', ['exec:1']],
  ['for another use', seal, 'progress', ['exec:1']],
  ['under another name', seal, 'private value', ['exec:2']],
  ['under the name in other pieces', seal, 'private value', ['exec', '1']],
] as const)('nothing opens %s', (_how, other, use, about) => {
  const sealed = seal.seal('private value', ['exec:1'], bytes);
  expect(() => other.open(use, [...about], sealed)).toThrow(UnreadableError);
});

it('what was changed, cut, or never sealed does not open, and the error holds nothing of it', () => {
  const sealed = seal.seal('progress', [], bytes);
  const changed = Buffer.from(sealed);
  changed[changed.length - 1]! ^= 1;
  for (const wrong of [changed, sealed.subarray(0, -1), sealed.subarray(0, 20), Buffer.alloc(0), bytes]) {
    expect(() => seal.open('progress', [], wrong)).toThrow('the same LINK_SECRET');
  }
});

it('of a job its access lies sealed, the rest in clear, and both come back', () => {
  const payload = createPayload('op1');
  const data = sealFields(seal, catalog.createVm, 'op1.1', payload);
  expect(data).toMatchObject({ operationId: 'op1', sshPort: 22_000, access: expect.any(String) });
  expect(JSON.stringify(data)).not.toContain('passwordHash');
  expect(openFields(seal, catalog.createVm, 'op1.1', data)).toEqual(payload);
  expect(() => openFields(seal, catalog.createVm, 'op2.1', data)).toThrow(UnreadableError);
  expect(() => openFields(seal, catalog.startVm, 'op1.1', data)).toThrow(UnreadableError);
});

it('a job whose access was put there unsealed is not taken', () => {
  expect(() => openFields(seal, catalog.createVm, 'op1.1', createPayload('op1'))).toThrow(UnreadableError);
  const odd = { access: { toString: 'no function' } };
  expect(() => openFields(seal, catalog.createVm, 'op1.1', odd)).toThrow(UnreadableError);
});
