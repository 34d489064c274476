import type { Transaction } from 'kysely';
import type { StrayEvent } from '../../../../shared/stray/stray.ts';
import { thingKey } from '../../../../shared/stray/thing.ts';
import type { Database } from '../schema.ts';
import { onlyFor, type Projection } from './projection.ts';

/** What was found on hosts that no VM accounts for, the removed ones too: the message of a removal still names them. */

const forgetOperation = async (
  trx: Transaction<Database>,
  { data: { operationId } }: { data: { operationId: string } },
): Promise<void> => {
  await trx
    .updateTable('strays')
    .set({ operation_id: null })
    .where('operation_id', '=', operationId)
    .execute();
};

export const strays: Projection = {
  table: 'strays',
  async create(db) {
    await db.schema
      .createTable('strays')
      .ifNotExists()
      .addColumn('host', 'text', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('docker_id', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('vm_id', 'text')
      .addColumn('owner', 'text')
      .addColumn('reason', 'text', (column) => column.notNull())
      .addColumn('running', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'text')
      .addColumn('found_position', 'integer', (column) => column.notNull())
      .addColumn('found_at', 'text', (column) => column.notNull())
      .addColumn('operation_id', 'text')
      .addColumn('gone_at', 'text')
      .addPrimaryKeyConstraint('strays_key', ['host', 'key'])
      .execute();
  },
  apply: onlyFor<StrayEvent>({
    StraysFound: async (trx, { position, data: { host, strays: found, at } }) => {
      const rows = found.map((stray) => ({
        host,
        key: thingKey(stray),
        kind: stray.kind,
        docker_id: stray.id,
        name: stray.name,
        vm_id: stray.vmId,
        owner: stray.owner,
        reason: stray.reason,
        running: stray.running ? 1 : 0,
        created_at: stray.createdAt,
        found_position: position,
        found_at: at,
        operation_id: null,
        gone_at: null,
      }));
      for (const row of rows) await trx.replaceInto('strays').values(row).execute();
    },
    StraysGone: async (trx, { data: { host, keys, at } }) => {
      for (const key of keys) {
        await trx
          .updateTable('strays')
          .set({ gone_at: at })
          .where('host', '=', host)
          .where('key', '=', key)
          .execute();
      }
    },
    StrayRemovalRequested: async (trx, { data: { host, operationId, strays: going } }) => {
      for (const stray of going) {
        await trx
          .updateTable('strays')
          .set({ operation_id: operationId })
          .where('host', '=', host)
          .where('key', '=', thingKey(stray))
          .execute();
      }
    },
    StraysRemoved: async (trx, { data: { operationId, at } }) => {
      await trx.updateTable('strays').set({ gone_at: at }).where('operation_id', '=', operationId).execute();
    },
    StrayRemovalFailed: forgetOperation,
    StrayRemovalTimedOut: forgetOperation,
  }),
};
