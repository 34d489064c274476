import type { Random } from './random.ts';

const field = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/** A line of an Ed25519 public key that nobody has the private half of. */
export const newPublicKey = (random: Random): string => {
  const type = 'ssh-ed25519';
  const key = Buffer.from(Array.from({ length: 32 }, () => random.below(256)));
  return `${type} ${Buffer.concat([field(Buffer.from(type)), field(key)]).toString('base64')} key-${random.below(1_000)}`;
};
