import { readFile } from 'node:fs/promises';
import { openStore } from '../../services/bot/store/store.ts';
import { createLog } from '../../shared/log.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';
import type { Berth } from '../../tests/support/berth.ts';
import { findFreePort } from '../../tests/support/redis.ts';
import { startService } from '../../tests/support/service-process.ts';
import type { Series } from './figures.ts';

/** Resident memory in MB, of each process by itself. */

const residentMb = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
};

const series = (name: string, value: number): Series => ({
  name: `memory: ${name}`,
  unit: 'MB',
  values: [value],
});

/** VMs that exist in events and projections only. */
const addVms = async (dataDir: string, count: number): Promise<void> => {
  const store = await openStore({ dataDir, log: createLog('bench', 'silent') });
  const at = new Date().toISOString();
  const metadata = { actor: null, chat: null, correlationId: 'bench', causationId: null };
  const limits = { memoryBytes: 2 ** 30, cpus: 1, diskBytes: 2 ** 30, gpu: false };
  await store.transaction(async (trx) => {
    for (let index = 0; index < count; index += 1) {
      const vmId = `memory${index}`;
      const operationId = `${vmId}-create`;
      const data = {
        operationId,
        vmId,
        at,
        owner: index,
        name: 'box',
        host: 'elsewhere',
        limits,
        plan: null,
      };
      const request = { type: 'RequestVm' as const, data: { ...data, sshPort: 30_000 + index } };
      await store.handle(trx, vm, vmStream(vmId), request, metadata);
      const created = { operationId, vmId, at, containerId: 'c', hostKeyFingerprint: 'k' };
      await store.handle(trx, vm, vmStream(vmId), { type: 'RecordCreated', data: created }, metadata);
    }
  });
  await store.close();
};

export const measureMemory = async (berth: Berth): Promise<Series[]> => {
  const result: Series[] = [];
  await berth.bot().end();
  await berth.startBot();
  await berth.admin.ask('/list_allowed');
  result.push(series('bot, idle', await residentMb(berth.bot().pid)));
  result.push(series('worker, after this run', await residentMb(berth.workers()[0]!.pid)));
  const gateway = await startService('gateway', 'services/gateway/main.ts', {
    GATEWAY_PORT: `${await findFreePort()}`,
  });
  const practice = await startService('practice', 'services/practice/main.ts', {
    PRACTICE_PORT: `${await findFreePort()}`,
    DATA_DIR: berth.dataDir,
  });
  result.push(series('gateway, idle', await residentMb(gateway.pid)));
  result.push(series('practice chat, idle', await residentMb(practice.pid)));
  await Promise.all([gateway.end(), practice.end()]);

  await berth.bot().end();
  await addVms(berth.dataDir, 1_000);
  await berth.startBot();
  await berth.admin.ask('/list_allowed');
  result.push(series('bot, 1,000 VMs', await residentMb(berth.bot().pid)));
  return result;
};
