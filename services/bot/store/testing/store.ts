import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Metadata } from '../../../../shared/event-store/schema.ts';
import { createLog } from '../../../../shared/log.ts';
import type { VmCommand } from '../../../../shared/vm/commands.ts';
import { vm, vmStream } from '../../../../shared/vm/decider.ts';
import { openStore, type Store, type StoreOptions } from '../store.ts';

/** A store in a real file of its own; closed and removed with the test. */

export const metadata: Metadata = { actor: 42, chat: 42, correlationId: 'corr-1', causationId: 'update-7' };

export const newDataDir = (): string => {
  const dataDir = mkdtempSync(join(tmpdir(), 'berth-store-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
};

export const openTestStore = async (options: Partial<StoreOptions> = {}): Promise<Store> => {
  const store = await openStore({
    dataDir: options.dataDir ?? newDataDir(),
    log: createLog('test', 'silent'),
    ...options,
  });
  onTestFinished(() => store.close());
  return store;
};

/** One command to one VM, in a transaction of its own. */
export const tell = (store: Store, command: VmCommand) =>
  store.transaction((trx) => store.handle(trx, vm, vmStream(command.data.vmId), command, metadata));
