import { randomBytes } from 'node:crypto';
import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { createVault, type SealedTables } from './vault.ts';

let db: Kysely<SealedTables>;
const vault = createVault(randomBytes(32));
const seal = (vmId: string, name: string, text: string) =>
  db.transaction().execute((trx) => vault.seal(trx, vmId, name, text));

beforeEach(() => {
  const database = new Sqlite(':memory:');
  database.exec(`create table vm_keys (vm_id text primary key, wrapped_key blob not null);
    create table sealed_values (vm_id text, name text, sealed blob not null, primary key (vm_id, name))`);
  db = new Kysely<SealedTables>({ dialect: new SqliteDialect({ database }) });
  onTestFinished(() => db.destroy());
});

it('what was sealed opens again, text and bytes alike', async () => {
  await seal('vm1', 'password', 'pässwörd\n');
  const bytes = randomBytes(100_000);
  await db.transaction().execute((trx) => vault.sealBytes(trx, 'vm1', 'output', bytes));
  await seal('vm1', 'empty', '');
  expect(await vault.unseal(db, 'vm1', 'password')).toBe('pässwörd\n');
  expect(await vault.unsealBytes(db, 'vm1', 'output')).toEqual(bytes);
  expect(await vault.unseal(db, 'vm1', 'empty')).toBe('');
});

it('what was never sealed is null', async () => {
  await seal('vm1', 'password', 'hush');
  expect(await vault.unseal(db, 'vm1', 'other')).toBeNull();
  expect(await vault.unseal(db, 'vm2', 'password')).toBeNull();
});

it('a name holds what was sealed last; forgotten, it holds nothing', async () => {
  await seal('vm1', 'password', 'old');
  await seal('vm1', 'password', 'new');
  expect(await vault.unseal(db, 'vm1', 'password')).toBe('new');
  await db.transaction().execute((trx) => vault.forget(trx, 'vm1', 'password'));
  expect(await vault.unseal(db, 'vm1', 'password')).toBeNull();
});

it('the same text sealed twice looks different', async () => {
  await seal('vm1', 'a', 'hush');
  await seal('vm1', 'b', 'hush');
  const rows = await db.selectFrom('sealed_values').select('sealed').execute();
  expect(Buffer.from(rows[0]!.sealed)).not.toEqual(Buffer.from(rows[1]!.sealed));
});

it('another master key opens nothing', async () => {
  await seal('vm1', 'password', 'hush');
  const other = createVault(randomBytes(32));
  await expect(other.unseal(db, 'vm1', 'password')).rejects.toThrow('unable to authenticate');
  await expect(
    db.transaction().execute((trx) => other.seal(trx, 'vm1', 'password', 'mine')),
  ).rejects.toThrow();
  expect(await vault.unseal(db, 'vm1', 'password')).toBe('hush');
});

it.each([
  ['to another VM', { vm_id: 'vm2' }],
  ['to another name', { name: 'stolen' }],
])('a value moved %s does not open', async (_where, change) => {
  await seal('vm1', 'password', 'hush');
  await seal('vm2', 'other', 'mine');
  await db.updateTable('sealed_values').set(change).where('name', '=', 'password').execute();
  const { vm_id, name } = { vm_id: 'vm1', name: 'password', ...change };
  await expect(vault.unseal(db, vm_id, name)).rejects.toThrow('unable to authenticate');
});

it('the key of one VM moved to another does not open either', async () => {
  await seal('vm1', 'password', 'hush');
  await seal('vm2', 'password', 'mine');
  await db.deleteFrom('vm_keys').where('vm_id', '=', 'vm2').execute();
  await db.updateTable('vm_keys').set({ vm_id: 'vm2' }).execute();
  await expect(vault.unseal(db, 'vm2', 'password')).rejects.toThrow('unable to authenticate');
});

it('a value that was changed by one bit does not open', async () => {
  await seal('vm1', 'password', 'hush');
  const { sealed } = await db.selectFrom('sealed_values').select('sealed').executeTakeFirstOrThrow();
  for (const place of [0, 12, sealed.length - 1]) {
    const damaged = Buffer.from(sealed);
    damaged[place]! ^= 1;
    await db.updateTable('sealed_values').set({ sealed: damaged }).execute();
    await expect(vault.unseal(db, 'vm1', 'password')).rejects.toThrow();
  }
});

it("a VM's destroyed key takes all its values along, and no other VM's", async () => {
  await seal('vm1', 'password', 'hush');
  await seal('vm1', 'output', 'long');
  await seal('vm2', 'password', 'mine');
  const copy = await db.selectFrom('sealed_values').selectAll().where('vm_id', '=', 'vm1').execute();
  await db.transaction().execute((trx) => vault.destroyKey(trx, 'vm1'));
  expect(await vault.unseal(db, 'vm1', 'password')).toBeNull();
  await db.insertInto('sealed_values').values(copy).execute();
  expect(await vault.unseal(db, 'vm1', 'password'), 'a copy put back').toBeNull();
  expect(await vault.unseal(db, 'vm2', 'password')).toBe('mine');
});

it('sealing that is rolled back leaves neither value nor key', async () => {
  const failed = db.transaction().execute(async (trx) => {
    await vault.seal(trx, 'vm1', 'password', 'hush');
    throw new Error('no');
  });
  await expect(failed).rejects.toThrow('no');
  expect(await db.selectFrom('vm_keys').selectAll().execute()).toEqual([]);
});
