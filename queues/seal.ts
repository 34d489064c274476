import { decrypt, deriveKey, encrypt } from '../shared/secrets/sealing.ts';
import type { Job } from './catalog.ts';

/**
 * Whoever reads Redis, its append-only file or what passes it on the wire must learn nothing private. So what is private
 * is sealed by the process that sends it and opened by the one it is for, with keys from the secret that both hold.
 */

/** What it was sealed with is not what this process holds, or it was changed on its way. */
export class UnreadableError extends Error {
  override name = 'UnreadableError';
}

type Use = 'private value' | 'job' | 'progress';

export const createSeal = (linkSecret: string, instance: string) => {
  const keys: Record<Use, Buffer> = {
    'private value': deriveKey(linkSecret, 'private value'),
    job: deriveKey(linkSecret, 'job'),
    progress: deriveKey(linkSecret, 'progress'),
  };
  const contextOf = (about: string[]): string => [instance, ...about].join('\0');
  return {
    seal: (use: Use, about: string[], bytes: Buffer): Buffer => encrypt(keys[use], bytes, contextOf(about)),
    /** Throws UnreadableError for anything that was not sealed with this secret, for this use and about this. */
    open: (use: Use, about: string[], sealed: Buffer): Buffer => {
      try {
        return decrypt(keys[use], sealed, contextOf(about));
      } catch (cause) {
        throw new UnreadableError(
          `a ${use} does not open: do bot, workers and gateway have the same LINK_SECRET?`,
          { cause },
        );
      }
    },
  };
};

export type Seal = ReturnType<typeof createSeal>;

type Data = Record<string, unknown>;

/** The payload as it lies in Redis: the job's private fields are one sealed text each. */
export const sealFields = (seal: Seal, job: Job, jobId: string, payload: object): Data => {
  const data: Data = { ...payload };
  for (const field of job.sealed) {
    const bytes = Buffer.from(JSON.stringify(data[field]));
    data[field] = seal.seal('job', [job.name, jobId, field], bytes).toString('base64');
  }
  return data;
};

/** The payload as its processor knows it. Throws UnreadableError. */
export const openFields = (seal: Seal, job: Job, jobId: string, data: object): Data => {
  const payload: Data = { ...data };
  for (const field of job.sealed) {
    const text = payload[field];
    // Whatever else lies there: what is no text was never sealed, and is refused as such.
    const sealed = Buffer.from(typeof text === 'string' ? text : '', 'base64');
    payload[field] = JSON.parse(seal.open('job', [job.name, jobId, field], sealed).toString());
  }
  return payload;
};
