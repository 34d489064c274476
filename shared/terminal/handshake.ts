import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { deriveKey } from '../secrets/sealing.ts';

/**
 * How gateway and worker show each other that they know the shared secret, without saying it: each makes a challenge
 * and answers with an HMAC over both. The role in it keeps one side's answer from being sent back as the other's.
 */

export type Challenges = { gateway: string; worker: string };
type Role = keyof Challenges;

/** Milliseconds that it may take. */
export const handshakeDeadline = 5_000;

export const newChallenge = (): string => randomBytes(32).toString('base64url');

export const prove = (secret: string, role: Role, { gateway, worker }: Challenges): string =>
  createHmac('sha256', deriveKey(secret, 'terminal link'))
    .update(`${role}\n${gateway}\n${worker}`)
    .digest('base64url');

export const isProof = (proof: string, secret: string, role: Role, challenges: Challenges): boolean => {
  const given = Buffer.from(proof);
  const expected = Buffer.from(prove(secret, role, challenges));
  return given.length === expected.length && timingSafeEqual(given, expected);
};
