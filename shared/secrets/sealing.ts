import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** AES-256-GCM as all of Berth uses it, and keys for one purpose each from one secret. */

export const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** A key of 32 bytes that serves `purpose` alone: it tells nothing of the secret, nor of the keys of other purposes. */
export const deriveKey = (secret: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, 'berth', purpose, keyBytes));

/** Nonce, tag, ciphertext. `context` is bound to it: moved elsewhere, it does not open. */
export const encrypt = (key: Buffer, plaintext: Buffer, context: string): Buffer => {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
};

/** Throws for what was sealed with another key or for another context, was changed, or never was sealed. */
export const decrypt = (key: Buffer, sealed: Uint8Array, context: string): Buffer => {
  const bytes = Buffer.from(sealed);
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
};
