import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { Redis } from 'ioredis';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Access } from '../queues/catalog.ts';
import { findOpenOperations, findOperation } from '../services/bot/queries.ts';
import { execCommandName, passwordName } from '../services/bot/sealed-names.ts';
import { createJobsPolicy } from '../services/bot/store/policies/jobs.ts';
import { openPayload } from '../services/bot/store/sealed-payload.ts';
import { databasePath, openStore, type Store } from '../services/bot/store/store.ts';
import { tell } from '../services/bot/store/testing/store.ts';
import { createLog } from '../shared/log.ts';
import { loadMasterKey } from '../shared/secrets/master-key.ts';
import { createVault } from '../shared/secrets/vault.ts';
import { command, vmId } from '../shared/vm/testing/history.ts';
import { findFreePort, startRedis } from '../tests/support/redis.ts';

/** The tools themselves: what they make, and what they refuse. `tests/backup.test.ts` has them in a whole Berth. */

let folder: string;
let dataDir: string;
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), 'berth-backup-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  folder = made;
  dataDir = join(made, 'data');
});

const secretKey = 'a secret key of more than thirty-two characters';
const open = async (
  at = dataDir,
  key?: string,
): Promise<Store & { vault: ReturnType<typeof createVault> }> => {
  const vault = createVault(loadMasterKey({ dataDir: at, secretKey: key }));
  const log = createLog('test', 'silent');
  const store = await openStore({ dataDir: at, log, policies: [createJobsPolicy({ vault })] });
  return { ...store, vault };
};
/** A database with one VM that was asked for, and, unless told otherwise, made. */
const fill = async ({ key = undefined as string | undefined, made = true } = {}): Promise<void> => {
  const store = await open(dataDir, key);
  await store.transaction((trx) => store.vault.seal(trx, vmId, passwordName, 'hush'));
  await tell(store, command.RequestVm('create'));
  if (made) await tell(store, command.RecordCreated('create'));
  await store.close();
};
const run = async (script: string, args: string[], env: NodeJS.ProcessEnv = {}) => {
  const options = { env: { DATA_DIR: dataDir, ...env }, reject: false, all: true } as const;
  const { all, exitCode } = await execa('node', [`scripts/${script}.ts`, ...args], options);
  return { said: all, exitCode };
};
const file = () => join(folder, 'b.tar');
const backup = (...args: string[]) => run('backup', ['--to', file(), ...args]);
const elsewhere = () => join(folder, 'elsewhere');
const restore = (env: NodeJS.ProcessEnv = {}, ...args: string[]) =>
  run('restore', [file(), ...args], { DATA_DIR: elsewhere(), ...env });
const refused = (pattern: string | RegExp) => ({ said: expect.stringMatching(pattern), exitCode: 1 });
const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('a backup', () => {
  it('holds the key, says so loudly, and is for nobody else to read', async () => {
    await fill();
    const { said, exitCode } = await backup();
    expect(said).toContain('IT HOLDS THE KEY');
    expect(exitCode).toBe(0);
    expect(modeOf(file())).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(['b.tar', 'data']);
    expect(await restore()).toMatchObject({ exitCode: 0 });
    expect(modeOf(join(elsewhere(), 'secret.key'))).toBe(0o600);
    const store = await open(elsewhere());
    expect(await store.vault.unseal(store.db, vmId, passwordName)).toBe('hush');
    await store.close();
    expect(readdirSync(elsewhere()).sort()).toEqual(['berth.db', 'berth.lock', 'secret.key']);
  });

  it('without the key needs it at the restore, and takes no other', async () => {
    await fill();
    expect((await backup('--without-key')).said).toContain('IT DOES NOT HOLD THE KEY');
    expect(await restore()).toMatchObject(refused('does not hold the key'));
    writeFileSync(join(elsewhere(), 'secret.key'), Buffer.alloc(32, 7).toString('base64'));
    expect(await restore()).toMatchObject(refused('it is another key'));
    writeFileSync(join(elsewhere(), 'secret.key'), readFileSync(join(dataDir, 'secret.key')));
    expect(await restore()).toMatchObject({ exitCode: 0 });
  });

  it('whose key follows from SECRET_KEY needs that, then and now', async () => {
    await fill({ key: secretKey });
    expect(await backup()).toMatchObject(refused('SECRET_KEY is not set'));
    const wrong = { SECRET_KEY: `${secretKey}?` };
    expect(await run('backup', [], wrong)).toMatchObject(refused('is not the key of this database'));
    const { said } = await run('backup', ['--to', file()], { SECRET_KEY: secretKey });
    expect(said).toContain('follows from SECRET_KEY');
    expect(await restore()).toMatchObject(refused('does not hold the key'));
    expect(await restore(wrong)).toMatchObject(refused('does not open this backup'));
    expect(await restore({ SECRET_KEY: secretKey })).toMatchObject({ exitCode: 0 });
  });

  it('overwrites nothing', async () => {
    await fill();
    writeFileSync(file(), 'mine');
    expect(await backup()).toMatchObject(refused('is there already'));
    expect(readFileSync(file(), 'utf8')).toBe('mine');
  });

  it('takes the place of the oldest where as many are kept, and of nothing else', async () => {
    await fill();
    const backups = join(dataDir, 'backups');
    mkdirSync(backups);
    const others = [
      'berth-20250101T000000Z.tar',
      'berth-20250102T000000Z.tar',
      'before-002-people.db',
      'berth-mine.tar',
    ];
    for (const name of others) writeFileSync(join(backups, name), '');
    const { said } = await run('backup', ['--keep', '2']);
    expect(said).toContain('removed ');
    const left = readdirSync(backups);
    expect(left).toHaveLength(4);
    expect(left).toEqual(expect.arrayContaining(others.slice(1)));
  });

  it.each([
    [['--keep', '0'], '--keep takes a number'],
    [['--keep', '2', '--to', '/nowhere/b.tar'], '--keep needs a folder'],
    [['--kep', '2'], 'Unknown option'],
    [[], 'There is no database'],
  ])('with %j is refused: %s', async (args, words) => {
    expect(await run('backup', args)).toMatchObject(refused(words));
  });
});

describe('a restore', () => {
  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2), 'ends too early|cannot be read'],
    ['no tar file', () => Buffer.from('hello'), 'cannot be read as a tar file'],
    [
      'changed in one byte of the database',
      (bytes: Buffer) => {
        bytes[Math.floor(bytes.length / 2)]! ^= 1;
        return bytes;
      },
      'berth.db has another checksum',
    ],
  ])('of a file that is %s is refused', async (_what, change, words) => {
    await fill();
    await backup();
    writeFileSync(file(), change(readFileSync(file())));
    expect(await restore()).toMatchObject(refused(words));
    expect(readdirSync(elsewhere())).toEqual(['berth.lock']);
  });

  it('of the database of a newer Berth is refused', async () => {
    await fill();
    const store = await open();
    await store.db
      .insertInto('kysely_migration' as never)
      .values({ name: '900-later', timestamp: '2030' } as never)
      .execute();
    await store.close();
    await backup();
    expect(await restore()).toMatchObject(refused('a newer Berth'));
  });

  it('leaves a database that is there alone; by force it is put aside', async () => {
    await fill();
    await backup();
    const store = await open();
    await tell(store, command.StopVm('stop'));
    await store.close();
    const there = { DATA_DIR: dataDir };
    const before = readFileSync(databasePath(dataDir));
    expect(await restore(there)).toMatchObject(refused('There is a database'));
    expect(readFileSync(databasePath(dataDir))).toEqual(before);
    expect(await restore(there, '--force')).toMatchObject({ exitCode: 0 });
    const [name] = readdirSync(join(dataDir, 'backups'));
    const aside = await open(join(dataDir, 'backups', name!));
    expect(await findOperation(aside.db, 'stop')).toBeDefined();
    await aside.close();
    const now = await open();
    expect(await findOperation(now.db, 'stop')).toBeUndefined();
    await now.close();
  });

  it('is refused while somebody has the database', async () => {
    await fill();
    await backup();
    const store = await open();
    expect(await restore({ DATA_DIR: dataDir }, '--force')).toMatchObject(refused('stop Berth first'));
    await store.close();
  });

  it('knows the updates that the database it replaces has done', async () => {
    await fill();
    await backup();
    const store = await open();
    await store.db.insertInto('updates').values({ bot_id: 7, update_id: 99, received_at: 'now' }).execute();
    await store.close();
    await restore({ DATA_DIR: dataDir }, '--force');
    const now = await open();
    expect(await now.db.selectFrom('updates').select('update_id').execute()).toEqual([{ update_id: 99 }]);
    await now.close();
  });

  it('ends a command whose outcome nobody can know, and sends it nowhere', async () => {
    await fill();
    const store = await open();
    await store.transaction((trx) => store.vault.seal(trx, vmId, execCommandName('x'), 'echo hello'));
    await tell(store, command.RequestExec('x'));
    await store.close();
    await backup();
    expect((await restore()).said).toContain('of 1 commands the outcome is unknown');
    const now = await open(elsewhere());
    expect(await findOperation(now.db, 'x')).toMatchObject({
      status: 'failed',
      reason_code: 'outcome-unknown',
    });
    const unsent = await now.db.selectFrom('outbox').selectAll().where('sent_at', 'is', null).execute();
    expect(unsent.filter(({ operation_id }) => operation_id === 'x')).toEqual([]);
    await now.close();
  });

  it('goes on with what was accepted, and its time begins anew', async () => {
    await fill({ made: false });
    const store = await open();
    await store.db.updateTable('outbox').set({ sent_at: '2026-01-01T00:00:00.000Z' }).execute();
    await store.close();
    await backup();
    const began = new Date().toISOString();
    expect((await restore()).said).toContain('1 operations go on');
    const now = await open(elsewhere());
    expect(await findOpenOperations(now.db)).toMatchObject([{ operation_id: 'create' }]);
    const [job] = await now.db.selectFrom('outbox').selectAll().execute();
    expect(job).toMatchObject({ job_id: 'create.1', sent_at: null });
    expect(job!.created_at >= began).toBe(true);
    await now.close();
  });

  it('gives running VMs their access again, newer than anything that they can have been given since', async () => {
    await fill();
    await backup();
    await restore();
    const store = await open(elsewhere());
    const [access] = await findOpenOperations(store.db);
    expect(access).toMatchObject({ kind: 'access', cause: 'keys', chat: null });
    const row = await store.db
      .selectFrom('outbox')
      .selectAll()
      .where('operation_id', '=', access!.operation_id)
      .executeTakeFirstOrThrow();
    const payload = await openPayload(store, row);
    expect((payload.access as Access).revision).toBeGreaterThan(1_000_000_000);
    await store.close();
  });

  it("empties Berth's own Redis, which does not run then, and leaves its port and password", async () => {
    await fill();
    await backup();
    const own = join(elsewhere(), 'redis');
    mkdirSync(join(own, 'appendonlydir'), { recursive: true });
    writeFileSync(join(own, 'berth.json'), JSON.stringify({ port: await findFreePort(), password: 'x' }));
    expect(await restore()).toMatchObject({ exitCode: 0 });
    expect(readdirSync(own)).toEqual(['berth.json']);
  });

  it('removes what one that was killed has left', async () => {
    await fill();
    await backup();
    const { pid } = spawnSync('true'); // it has ended
    mkdirSync(join(elsewhere(), `.staging-${pid}-abcdef`), { recursive: true });
    await restore();
    expect(readdirSync(elsewhere()).sort()).toEqual(['berth.db', 'berth.lock', 'secret.key']);
  });

  it("forgets what Redis holds of this instance, and nobody else's; a Redis that is away is no reason to begin", async () => {
    await fill();
    await backup();
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const client = new Redis(redis.url);
    await client.mset('berth:fence:vm1', '9', 'berth-two:fence:vm1', '9');
    const { url } = redis;
    expect(await restore({ REDIS_URL: url })).toMatchObject({ exitCode: 0 });
    expect(await client.keys('*')).toEqual(['berth-two:fence:vm1']);
    client.disconnect();
    await redis.kill9();
    const again = { REDIS_URL: url, DATA_DIR: join(folder, 'third') };
    expect(await restore(again)).toMatchObject(refused('does not answer'));
    expect(readdirSync(again.DATA_DIR)).toEqual(['berth.lock']);
  });
});
