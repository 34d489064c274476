import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { command } from '../../../shared/vm/testing/history.ts';
import { StoreLockedError } from './lock.ts';
import { newDataDir, openTestStore, tell } from './testing/store.ts';

const script = fileURLToPath(new URL('testing/writer.ts', import.meta.url));

/** Starts another process on the database; `said` is the first line that it prints. */
const startWriter = async (dataDir: string) => {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [script, dataDir]);
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stderr.pipe(process.stderr);
  const [said] = await once(child.stdout, 'data');
  return { child, said: String(said).trim() };
};

it('a second process is refused, and told what to do', async () => {
  const dataDir = newDataDir();
  await openTestStore({ dataDir });
  const { child, said } = await startWriter(dataDir);
  expect(said).toBe(
    `StoreLockedError: another Berth writes the database in ${dataDir}: only one bot may. Stop that one first, or give this one a DATA_DIR of its own.`,
  );
  if (child.exitCode === null) await once(child, 'exit');
});

it('a process that is killed in a transaction leaves nothing of it, and the right to write', async () => {
  const dataDir = newDataDir();
  const { child, said } = await startWriter(dataDir);
  expect(said).toBe('in a transaction');
  await expect(openTestStore({ dataDir })).rejects.toThrow(StoreLockedError);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const store = await openTestStore({ dataDir });
  expect(await store.db.selectFrom('vms').selectAll().execute()).toEqual([]);
  expect(await tell(store, command.RequestVm('whole'))).toMatchObject({ events: [{ type: 'VmRequested' }] });
});

it('a store that is closed, or could not be opened, gives the right back', async () => {
  const dataDir = newDataDir();
  const first = await openTestStore({ dataDir });
  await expect(openTestStore({ dataDir })).rejects.toThrow(StoreLockedError);
  await first.close();
  await (await openTestStore({ dataDir })).close();
  await openTestStore({ dataDir });
});
