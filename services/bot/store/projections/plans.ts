import type { PlanEvent, PlanTerms } from '../../../../shared/plan/plan.ts';
import type { PlanRow } from '../schema.ts';
import { onlyFor, type Projection } from './projection.ts';

/** The plans as they are now. */

const columns = (terms: Partial<PlanTerms>): Partial<PlanRow> => {
  const { name, memoryBytes, cpus, diskBytes, maxVms, sudo } = terms;
  return {
    ...(name === undefined ? {} : { name }),
    ...(memoryBytes === undefined ? {} : { memory_bytes: memoryBytes }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(diskBytes === undefined ? {} : { disk_bytes: diskBytes }),
    ...(maxVms === undefined ? {} : { max_vms: maxVms }),
    ...(sudo === undefined ? {} : { sudo: sudo ? 1 : 0 }),
  };
};

export const plans: Projection = {
  table: 'plans',
  async create(db) {
    await db.schema
      .createTable('plans')
      .ifNotExists()
      .addColumn('plan_id', 'text', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('memory_bytes', 'integer', (column) => column.notNull())
      .addColumn('cpus', 'real', (column) => column.notNull())
      .addColumn('disk_bytes', 'integer', (column) => column.notNull())
      .addColumn('max_vms', 'integer', (column) => column.notNull())
      .addColumn('sudo', 'integer', (column) => column.notNull())
      .execute();
  },
  apply: onlyFor<PlanEvent>({
    PlanDefined: async (trx, { data: { planId, name, memoryBytes, cpus, diskBytes, maxVms, sudo } }) => {
      await trx
        .insertInto('plans')
        .values({
          plan_id: planId,
          name,
          memory_bytes: memoryBytes,
          cpus,
          disk_bytes: diskBytes,
          max_vms: maxVms,
          sudo: sudo ? 1 : 0,
        })
        .execute();
    },
    PlanChanged: async (trx, { data: { planId, changes } }) => {
      await trx.updateTable('plans').set(columns(changes)).where('plan_id', '=', planId).execute();
    },
  }),
};
