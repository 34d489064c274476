import { describe, expect, it } from 'vitest';
import { isProof, newChallenge, prove } from './handshake.ts';
import { highWater, lowWater } from './protocol.ts';
import { createWatermarks } from './watermarks.ts';

describe('the handshake', () => {
  const challenges = { gateway: newChallenge(), worker: newChallenge() };
  const secret = 'a secret of more than thirty-two characters';

  it('accepts who knows the secret', () => {
    expect(isProof(prove(secret, 'worker', challenges), secret, 'worker', challenges)).toBe(true);
  });

  it('accepts no other secret, role or challenge, and nothing of another length', () => {
    const proof = prove(secret, 'worker', challenges);
    expect(isProof(proof, `${secret}!`, 'worker', challenges)).toBe(false);
    expect(isProof(proof, secret, 'gateway', challenges)).toBe(false);
    const swapped = { gateway: challenges.worker, worker: challenges.gateway };
    expect(isProof(proof, secret, 'worker', swapped)).toBe(false);
    expect(isProof(proof, secret, 'worker', { ...challenges, worker: newChallenge() })).toBe(false);
    expect(isProof(proof.slice(1), secret, 'worker', challenges)).toBe(false);
    expect(isProof('', secret, 'worker', challenges)).toBe(false);
  });
});

describe('the watermarks', () => {
  const start = () => {
    const said: string[] = [];
    const marks = createWatermarks({ pause: () => said.push('pause'), resume: () => said.push('resume') });
    return { said, marks };
  };

  it('stop above the higher mark, once, and go on below the lower one', () => {
    const { said, marks } = start();
    marks.sent(highWater);
    expect(said).toEqual([]);
    marks.sent(1);
    marks.sent(1_000);
    expect(said).toEqual(['pause']);
    marks.acknowledged(highWater - lowWater);
    expect(said).toEqual(['pause']);
    marks.acknowledged(2_000);
    expect(said).toEqual(['pause', 'resume']);
  });

  it('give nothing in advance to who acknowledges more than there was', () => {
    const { said, marks } = start();
    marks.acknowledged(1_000_000_000);
    marks.sent(highWater + 1);
    expect(said).toEqual(['pause']);
  });
});
