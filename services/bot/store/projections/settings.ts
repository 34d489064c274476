import type { Transaction } from 'kysely';
import { initialState, type SettingsEvent } from '../../../../shared/settings/settings.ts';
import type { Database, SettingsRow } from '../schema.ts';
import { onlyFor, type Projection } from './projection.ts';

/** The settings as they are now: one row, there once something was changed. */

/** What holds as long as nothing was changed. */
export const unchangedSettings: SettingsRow = {
  id: 1,
  memory_bytes: initialState.memoryBytes,
  cpus: initialState.cpus,
  disk_bytes: initialState.diskBytes,
  max_vms: initialState.maxVms,
  gpu: initialState.gpu ? 1 : 0,
  maintenance_since: null,
  maintenance_by: null,
  maintenance_batch: null,
};

const put = async (trx: Transaction<Database>, changes: Partial<SettingsRow>): Promise<void> => {
  await trx
    .insertInto('settings')
    .values({ ...unchangedSettings, ...changes })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(changes))
    .execute();
};

export const settings: Projection = {
  table: 'settings',
  async create(db) {
    await db.schema
      .createTable('settings')
      .ifNotExists()
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('memory_bytes', 'integer', (column) => column.notNull())
      .addColumn('cpus', 'real', (column) => column.notNull())
      .addColumn('disk_bytes', 'integer', (column) => column.notNull())
      .addColumn('max_vms', 'integer', (column) => column.notNull())
      .addColumn('gpu', 'integer', (column) => column.notNull())
      .addColumn('maintenance_since', 'text')
      .addColumn('maintenance_by', 'integer')
      .addColumn('maintenance_batch', 'text')
      .execute();
  },
  apply: onlyFor<SettingsEvent>({
    DefaultMemoryChanged: (trx, { data }) => put(trx, { memory_bytes: data.memoryBytes }),
    DefaultCpusChanged: (trx, { data }) => put(trx, { cpus: data.cpus }),
    GpuPassthroughChanged: (trx, { data }) => put(trx, { gpu: data.gpu ? 1 : 0 }),
    MaintenanceBegun: (trx, { data }) =>
      put(trx, {
        maintenance_since: data.at,
        maintenance_by: data.by,
        maintenance_batch: data.batchId,
      }),
    MaintenanceEnded: (trx) =>
      put(trx, { maintenance_since: null, maintenance_by: null, maintenance_batch: null }),
  }),
};
