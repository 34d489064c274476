import type { Kysely } from 'kysely';
import { findJob } from '../../../queues/catalog.ts';
import type { Vault } from '../../../shared/secrets/vault.ts';
import { jobFieldName } from '../sealed-names.ts';
import type { Database, OutboxRow } from './schema.ts';
import type { Trx } from './store.ts';

/**
 * What a job's payload holds that nobody but its worker may read waits in the outbox sealed, with its VM's key, and goes
 * with that.
 */

type Payload = Record<string, unknown> & { vmId?: string };

/** Seals the private fields of the job; gives the rest, as JSON. */
export const sealPayload = async (
  { trx, vault }: { trx: Trx; vault: Vault },
  { jobName, jobId }: { jobName: string; jobId: string },
  payload: Payload,
): Promise<string> => {
  const rest = { ...payload };
  for (const field of findJob(jobName).sealed) {
    await vault.seal(trx, String(payload.vmId), jobFieldName(jobId, field), JSON.stringify(payload[field]));
    delete rest[field];
  }
  return JSON.stringify(rest);
};

/** The payload as it was sealed; without its private fields where the VM's key is destroyed. */
export const openPayload = async (
  { db, vault }: { db: Kysely<Database>; vault: Vault },
  { job_name, job_id, payload: text }: Pick<OutboxRow, 'job_name' | 'job_id' | 'payload'>,
): Promise<Payload> => {
  const payload: Payload = JSON.parse(text ?? '');
  for (const field of findJob(job_name ?? '').sealed) {
    const value = await vault.unseal(db, String(payload.vmId), jobFieldName(job_id, field));
    if (value !== null) payload[field] = JSON.parse(value);
  }
  return payload;
};
