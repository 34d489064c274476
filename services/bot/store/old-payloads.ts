import { type Kysely, sql } from 'kysely';
import { catalog } from '../../../queues/catalog.ts';
import type { Vault } from '../../../shared/secrets/vault.ts';
import { vmStream } from '../../../shared/vm/decider.ts';
import { findVm } from '../queries.ts';
import { accessTo } from './policies/access-to.ts';
import type { Database } from './schema.ts';

/**
 * Jobs that an older Berth put into the outbox, and that are not done when the new one takes over: they become those of
 * today as they are read, as events do by their upcasters.
 */

export type Payload = Record<string, unknown>;

/** Until there were keys of people's own, these jobs carried no access. */
const opensVms: readonly string[] = [catalog.createVm, catalog.startVm, catalog.restartVm].map(
  ({ name }) => name,
);

const positionOfRequest = async (
  db: Kysely<Database>,
  vmId: string,
  operationId: string,
): Promise<number> => {
  const { position } = await db
    .selectFrom('events')
    .select('position')
    .where('stream', '=', vmStream(vmId))
    .where(sql`data ->> '$.operationId'`, '=', operationId)
    .orderBy('position')
    .limit(1)
    .executeTakeFirstOrThrow();
  return position;
};

export const bringPayloadForward = async (
  { db, vault }: { db: Kysely<Database>; vault: Vault },
  jobName: string,
  payload: Payload,
): Promise<Payload> => {
  if (!opensVms.includes(jobName) || payload.access !== undefined) return payload;
  const { vmId, operationId } = payload as { vmId: string; operationId: string };
  const vm = await findVm(db, vmId);
  if (vm === undefined) throw new Error(`there is no VM ${vmId}`);
  const revision = await positionOfRequest(db, vmId, operationId);
  const { passwordHash: _before, ...rest } = payload;
  return { ...rest, access: await accessTo(db, vault, vm, { password: null, revision }) };
};
