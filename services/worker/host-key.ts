import { createHash } from 'node:crypto';

/** A line of an OpenSSH public key file, `ssh-ed25519 AAAA… comment`; gives `SHA256:…` as ssh-keygen prints it, or null. */
export const hostKeyFingerprint = (publicKey: string): string | null => {
  const [, key] = /^ssh-ed25519 ([A-Za-z0-9+/=]{68})(?:\s|$)/.exec(publicKey.trim()) ?? [];
  if (key === undefined) return null;
  const digest = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
};
