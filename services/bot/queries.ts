import type { Kysely } from 'kysely';
import type { VmLimits } from '../../shared/vm/limits.ts';
import { unchangedSettings } from './store/projections/settings.ts';
import type {
  Database,
  OperationRow,
  PersonRow,
  PlanRow,
  SettingsRow,
  SshKeyRow,
  UserRow,
  VmRow,
} from './store/schema.ts';

/** What the chat looks up. Each takes the database or a transaction first; each name says what is looked up by what. */

type Db = Kysely<Database>;

/** A person's VMs, the oldest first, without destroyed ones. */
export const findVmsByOwner = (db: Db, owner: number): Promise<VmRow[]> =>
  db
    .selectFrom('vms')
    .selectAll()
    .where('owner', '=', owner)
    .where('status', '!=', 'destroyed')
    .orderBy('requested_at')
    .orderBy('vm_id')
    .execute();

/** Everything a person has and had, the oldest first. */
export const findAllVmsByOwner = (db: Db, owner: number): Promise<VmRow[]> =>
  db
    .selectFrom('vms')
    .selectAll()
    .where('owner', '=', owner)
    .orderBy('requested_at')
    .orderBy('vm_id')
    .execute();

export const findVm = (db: Db, vmId: string): Promise<VmRow | undefined> =>
  db.selectFrom('vms').selectAll().where('vm_id', '=', vmId).executeTakeFirst();

export const findOperation = (db: Db, operationId: string): Promise<OperationRow | undefined> =>
  db.selectFrom('operations').selectAll().where('operation_id', '=', operationId).executeTakeFirst();

export const findOpenOperations = (db: Db): Promise<OperationRow[]> =>
  db.selectFrom('operations').selectAll().where('status', '=', 'open').orderBy('requested_at').execute();

export const findOpenOperationsByOwner = (db: Db, owner: number): Promise<OperationRow[]> =>
  db
    .selectFrom('operations')
    .selectAll()
    .where('status', '=', 'open')
    .where('owner', '=', owner)
    .orderBy('requested_at')
    .execute();

/** Changes of a VM's password and keys that have not ended, the oldest first. */
export const findOpenAccessUpdates = (db: Db, vmId: string): Promise<OperationRow[]> =>
  db
    .selectFrom('operations')
    .selectAll()
    .where('vm_id', '=', vmId)
    .where('kind', '=', 'access')
    .where('status', '=', 'open')
    .orderBy('requested_at')
    .execute();

export const findUser = (db: Db, userId: number): Promise<UserRow | undefined> =>
  db.selectFrom('users').selectAll().where('user_id', '=', userId).executeTakeFirst();

/** A person's public keys, the oldest first. */
export const findSshKeys = (db: Db, userId: number): Promise<SshKeyRow[]> =>
  db
    .selectFrom('ssh_keys')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('added_at')
    .orderBy('fingerprint')
    .execute();

/** Somebody who ever wrote. */
export const findPerson = (db: Db, userId: number): Promise<PersonRow | undefined> =>
  db.selectFrom('people').selectAll().where('user_id', '=', userId).executeTakeFirst();

/** Every VM that is not destroyed, by owner and age. */
export const findVms = (db: Db): Promise<VmRow[]> =>
  db
    .selectFrom('vms')
    .selectAll()
    .where('status', '!=', 'destroyed')
    .orderBy('owner')
    .orderBy('requested_at')
    .orderBy('vm_id')
    .execute();

/** VMs that a batch waits for: another operation has to end first. */
export const countPlannedOfBatch = async (db: Db, batchId: string): Promise<number> => {
  const { count } = await db
    .selectFrom('vms')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('planned_batch', '=', batchId)
    .executeTakeFirstOrThrow();
  return count;
};

/** Operations of one kind that one update of somebody began. */
export const findOperationsOfUpdate = (
  db: Db,
  correlationId: string,
  kind: string,
): Promise<OperationRow[]> =>
  db
    .selectFrom('operations')
    .selectAll()
    .where('correlation_id', '=', correlationId)
    .where('kind', '=', kind)
    .orderBy('requested_at')
    .orderBy('operation_id')
    .execute();

/** Whether the moment in which it brought the VM up was the one in which the VM was ordered to stop. */
export const wasStoppedAtOnce = async (db: Db, { vm_id, kind, ended_at }: OperationRow): Promise<boolean> => {
  if (kind === 'stop' || kind === 'destroy') return false;
  const stop = await db
    .selectFrom('operations')
    .select('operation_id')
    .where('vm_id', '=', vm_id)
    .where('kind', '=', 'stop')
    .where('requested_at', '=', ended_at)
    .where(({ eb, not }) => not(eb('order_reason', 'is', null)))
    .executeTakeFirst();
  return stop !== undefined;
};

/** The first change of keys that reached for a VM since then, whatever began it. */
export const findKeyUpdateSince = (db: Db, vmId: string, since: string): Promise<OperationRow | undefined> =>
  db
    .selectFrom('operations')
    .selectAll()
    .where('vm_id', '=', vmId)
    .where('cause', '=', 'keys')
    .where('requested_at', '>=', since)
    .orderBy('requested_at')
    .executeTakeFirst();

export const countPeople = async (db: Db): Promise<{ allowed: number; asking: number }> => {
  const rows = await db
    .selectFrom('users')
    .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
    .groupBy('status')
    .execute();
  const of = (status: string) => rows.find((row) => row.status === status)?.count ?? 0;
  return { allowed: of('allowed'), asking: of('asking') };
};

/** Operations of one kind of somebody's that have not ended. */
export const countOpenOperations = async (db: Db, owner: number, kind: string): Promise<number> => {
  const { count } = await db
    .selectFrom('operations')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('status', '=', 'open')
    .where('kind', '=', kind)
    .where('owner', '=', owner)
    .executeTakeFirstOrThrow();
  return count;
};

/** Operations that were ordered in one go. */
export const findBatch = (db: Db, batchId: string): Promise<OperationRow[]> =>
  db.selectFrom('operations').selectAll().where('batch_id', '=', batchId).orderBy('requested_at').execute();

export type AllowedUser = {
  user_id: number;
  username: string | null;
  name: string | null;
  plan: string | null;
  vms: number;
};

/** Everybody on the list, with the plan's name and the number of VMs that are not destroyed. */
export const findAllowedUsers = (db: Db): Promise<AllowedUser[]> =>
  db
    .selectFrom('users')
    .leftJoin('plans', 'plans.plan_id', 'users.plan_id')
    .select((select) => [
      'users.user_id',
      'users.username',
      'users.name',
      'plans.name as plan',
      select
        .selectFrom('vms')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('vms.owner', '=', 'users.user_id')
        .where('vms.status', '!=', 'destroyed')
        .$asScalar()
        .$notNull()
        .as('vms'),
    ])
    .where('users.status', '=', 'allowed')
    .orderBy('users.user_id')
    .execute();

export const findPlans = (db: Db): Promise<PlanRow[]> =>
  db.selectFrom('plans').selectAll().orderBy('plan_id').execute();

export const findPlan = (db: Db, planId: string): Promise<PlanRow | undefined> =>
  db.selectFrom('plans').selectAll().where('plan_id', '=', planId).executeTakeFirst();

export const findSettings = async (db: Db): Promise<SettingsRow> =>
  (await db.selectFrom('settings').selectAll().executeTakeFirst()) ?? unchangedSettings;

/** VMs that count towards a person's limit: a creation that failed does not keep anybody from the next one. */
export const countVmsTowardsLimit = async (db: Db, owner: number): Promise<number> => {
  const { count } = await db
    .selectFrom('vms')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('owner', '=', owner)
    .where('status', 'not in', ['destroyed', 'failed'])
    .executeTakeFirstOrThrow();
  return count;
};

/** What a new VM of that person may use: their plan's limits, without a plan the global defaults. */
export const limitsFor = async (
  db: Db,
  owner: number,
): Promise<{ limits: VmLimits; plan: string | null; maxVms: number }> => {
  const user = await findUser(db, owner);
  const settings = await findSettings(db);
  const plan = user?.plan_id ? await findPlan(db, user.plan_id) : undefined;
  const terms = plan ?? settings;
  return {
    limits: {
      memoryBytes: terms.memory_bytes,
      cpus: terms.cpus,
      diskBytes: terms.disk_bytes,
      gpu: settings.gpu === 1,
      sudo: plan === undefined || plan.sudo === 1,
    },
    plan: plan?.name ?? null,
    maxVms: terms.max_vms,
  };
};
