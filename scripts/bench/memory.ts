import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../services/bot/store/store.ts';
import { createLog } from '../../shared/log.ts';
import { findFreePort } from '../../tests/support/redis.ts';
import { type ServiceProcess, startService } from '../../tests/support/service-process.ts';
import type { Bench } from './chat.ts';
import { memoryMb } from './consumption.ts';
import type { Figures } from './figures.ts';
import { addVm } from './vms.ts';

/**
 * Resident memory of each process, freshly started, after it has answered once: with nothing in the projections, and
 * with 1,000 VMs. Only the bot knows of VMs; the others are there to show that.
 */

const addVms = async (dataDir: string, count: number): Promise<void> => {
  const store = await openStore({ dataDir, log: createLog('bench', 'silent') });
  await store.transaction(async (trx) => {
    for (let index = 0; index < count; index += 1) {
      // A host without workers: nobody looks for the containers, and finds them gone.
      const vmId = `memory${index}`;
      await addVm(store, trx, { vmId, owner: 100_000 + index, host: 'elsewhere', sshPort: 30_000 + index });
    }
  });
  await store.close();
};

/** Starts the four, has the bot answer a command, and gives their memory in MB. */
const measure = async ({ berth }: Bench, dataDir: string): Promise<number[]> => {
  await Promise.all([berth.bot(), ...berth.workers()].map((service) => service.end()));
  const beside: ServiceProcess[] = [];
  const start = async (name: string, env: NodeJS.ProcessEnv) => {
    const service = await startService(name, `services/${name}/main.ts`, env);
    beside.push(service);
    return service;
  };
  try {
    const [bot, worker, gateway, practice] = await Promise.all([
      berth.startBot({ DATA_DIR: dataDir }),
      berth.startWorker(),
      start('gateway', {
        REDIS_URL: berth.redis.url,
        INSTANCE: berth.instance,
        TUNNEL: 'off',
        GATEWAY_PORT: `${await findFreePort()}`,
      }),
      start('practice', { PRACTICE_PORT: `${await findFreePort()}`, DATA_DIR: dataDir }),
    ]);
    await berth.admin.ask('/list_allowed');
    return await Promise.all([bot, worker, gateway, practice].map((service) => memoryMb(service, 'VmRSS')));
  } finally {
    await Promise.all(beside.map((service) => service.end()));
  }
};

export const measureMemory = async (bench: Bench, rounds: number, figures: Figures): Promise<void> => {
  const names = ['bot', 'worker', 'gateway', 'practice chat'];
  const stages: { dataDir: string; adds: ReturnType<Figures['series']>[] }[] = [];
  for (const stage of ['idle', '1,000 VMs']) {
    const dataDir = join(bench.berth.dataDir, `memory${stages.length}`);
    await mkdir(dataDir);
    stages.push({ dataDir, adds: names.map((name) => figures.series(`memory: ${name}, ${stage}`, 'MB')) });
  }
  await addVms(stages[1]!.dataDir, 1_000);
  for (let round = 0; round < rounds; round += 1) {
    for (const { dataDir, adds } of stages) {
      bench.signal.throwIfAborted();
      const values = await measure(bench, dataDir);
      for (const [index, add] of adds.entries()) add(values[index]!);
    }
  }
};
