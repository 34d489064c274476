import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CompiledQuery } from 'kysely';
import { expect, it } from 'vitest';
import { createVault } from '../../../shared/secrets/vault.ts';
import { command, vmId } from '../../../shared/vm/testing/history.ts';
import { execOutputName, passwordName } from '../sealed-names.ts';
import { createJobsPolicy } from './policies/jobs.ts';
import { openPayload } from './sealed-payload.ts';
import type { Store } from './store.ts';
import { newDataDir, openTestStore, tell } from './testing/store.ts';

/** What stands on the disk, byte by byte, while a VM lives and after it is destroyed. */

const password = 'correct-horse-battery-staple';
const output = Buffer.from('-----BEGIN OPENSSH PRIVATE KEY-----'.repeat(400));

const allBytes = (dataDir: string): Buffer =>
  Buffer.concat(
    readdirSync(dataDir)
      .filter((name) => name.startsWith('berth.db'))
      .map((name) => readFileSync(join(dataDir, name))),
  );

/** In clear, in base64 at each of the three offsets, in hex. */
const disguises = (text: string): Buffer[] => [
  Buffer.from(text),
  ...[0, 1, 2].map((skip) =>
    Buffer.from(
      Buffer.from(text.slice(skip))
        .toString('base64')
        .replace(/.{0,2}=*$/, ''),
    ),
  ),
  Buffer.from(Buffer.from(text).toString('hex')),
];

const checkpoint = (store: Store) =>
  store.db.executeQuery(CompiledQuery.raw('pragma wal_checkpoint(truncate)'));

it('secrets are nowhere in clear, and after the VM is destroyed not even sealed', async () => {
  const dataDir = newDataDir();
  const vault = createVault(randomBytes(32));
  const store = await openTestStore({ dataDir, policies: [createJobsPolicy({ vault })] });
  await store.transaction(async (trx) => {
    await vault.seal(trx, vmId, passwordName, password);
    await vault.sealBytes(trx, vmId, execOutputName('x'), output);
  });
  await tell(store, command.RequestVm('create'));
  await tell(store, command.RecordCreated('create'));

  const expectNoSecret = () => {
    const bytes = allBytes(dataDir);
    for (const text of [password, output.toString().slice(0, 60)]) {
      for (const disguise of disguises(text)) expect(bytes.includes(disguise), String(disguise)).toBe(false);
    }
  };
  expectNoSecret();
  await checkpoint(store);
  expectNoSecret();

  const { wrapped_key } = await store.db.selectFrom('vm_keys').selectAll().executeTakeFirstOrThrow();
  const values = await store.db.selectFrom('sealed_values').selectAll().execute();
  // From the middle of each, for long values are broken into pages.
  const traces = [wrapped_key, ...values.map(({ sealed }) => sealed)].map((sealed) =>
    Buffer.from(sealed).subarray(4, 40),
  );
  expect(traces.every((trace) => allBytes(dataDir).includes(trace))).toBe(true);

  await tell(store, command.DestroyVm('destroy'));
  await tell(store, command.RecordDestroyed('destroy'));
  expect(await vault.unseal(store.db, vmId, passwordName)).toBeNull();
  expect(await vault.unsealBytes(store.db, vmId, execOutputName('x'))).toBeNull();
  await checkpoint(store);
  expectNoSecret();
  expect(traces.filter((trace) => allBytes(dataDir).includes(trace))).toEqual([]);
});

it('the job of a creation carries a hash, never the password, and that lies sealed too', async () => {
  const dataDir = newDataDir();
  const vault = createVault(randomBytes(32));
  const store = await openTestStore({ dataDir, policies: [createJobsPolicy({ vault })] });
  await store.transaction((trx) => vault.seal(trx, vmId, passwordName, password));
  await tell(store, command.RequestVm('create'));
  const row = await store.db.selectFrom('outbox').selectAll().executeTakeFirstOrThrow();
  const payload = await openPayload({ db: store.db, vault }, row);
  expect(payload).toMatchObject({
    access: { passwordHash: expect.stringMatching(/^\$6\$rounds=1000\$/), authorizedKeys: [] },
  });
  expect(JSON.stringify(payload)).not.toContain(password);
  expect(JSON.parse(row.payload!)).toEqual({ ...payload, access: undefined });
  expect(allBytes(dataDir).includes('$6$rounds')).toBe(false);

  await store.transaction((trx) => vault.destroyKey(trx, vmId));
  expect(await openPayload({ db: store.db, vault }, row)).toEqual(JSON.parse(row.payload!));
});

it('a VM without a password is not requested', async () => {
  const store = await openTestStore({
    policies: [createJobsPolicy({ vault: createVault(randomBytes(32)) })],
  });
  await expect(tell(store, command.RequestVm('create'))).rejects.toThrow('has no password');
  expect(await store.db.selectFrom('vms').selectAll().execute()).toEqual([]);
});
