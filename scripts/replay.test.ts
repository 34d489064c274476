import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { databasePath, type Store } from '../services/bot/store/store.ts';
import { newDataDir, openTestStore, tell } from '../services/bot/store/testing/store.ts';
import { command } from '../shared/vm/testing/history.ts';

const replay = (dataDir: string) =>
  new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, DATA_DIR: dataDir, LOG_LEVEL: 'warn' };
    const child = execFile(process.execPath, ['scripts/replay.ts'], { env }, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    );
  });

const withOneVm = async (store: Store): Promise<void> => {
  await tell(store, command.RequestVm('create'));
  await tell(store, command.RecordCreated('create'));
};

it('rebuilds in place while no bot runs, and says so', async () => {
  const dataDir = newDataDir();
  const store = await openTestStore({ dataDir });
  await withOneVm(store);
  await store.close();
  const { status, stdout } = await replay(dataDir);
  expect(stdout).toMatch(/vms +1 rows {2}equal\noperations +1 rows {2}equal\n/);
  expect(stdout).toMatch(/6 events in .* events\/s\nequal: rebuilt in place\n$/);
  expect(status).toBe(0);
});

it('ends with status 1 and shows the rows that differed; a second time everything is equal', async () => {
  const dataDir = newDataDir();
  const store = await openTestStore({ dataDir });
  await withOneVm(store);
  await store.db.updateTable('vms').set({ name: 'forged' }).execute();
  await store.close();
  const { status, stdout } = await replay(dataDir);
  expect(stdout).toContain('"name":"forged"');
  expect(stdout).toContain('rebuilt now');
  expect(status).toBe(1);
  expect(await replay(dataDir)).toMatchObject({ status: 0 });
});

it('only compares while the bot runs', async () => {
  const dataDir = newDataDir();
  const store = await openTestStore({ dataDir });
  await withOneVm(store);
  expect(await replay(dataDir)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('equal: compared only, for the bot is running'),
  });
  await store.db.updateTable('vms').set({ name: 'forged' }).execute();
  const { status, stdout } = await replay(dataDir);
  expect(stdout).toContain('stop it, then replay again to repair');
  expect(status).toBe(1);
  expect(await store.db.selectFrom('vms').select('name').execute()).toEqual([{ name: 'forged' }]);
});

it('makes no database where there is none', async () => {
  const dataDir = newDataDir();
  const { status, stderr } = await replay(dataDir);
  expect(stderr).toContain(`There is no database in ${dataDir}`);
  expect(status).toBe(1);
  expect(existsSync(databasePath(dataDir))).toBe(false);
});
