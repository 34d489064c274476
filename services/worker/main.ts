import { createConsumer } from '../../queues/consumer.ts';
import { envOrExit, runService } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';
import { createEngine } from './docker/engine.ts';
import { parseWorkerEnv } from './env.ts';
import { createProcessors } from './processors.ts';
import { countCpusOnce, type VmHost } from './vm-host.ts';

/** Jobs of each kind that one process does at once. Most of their time they wait: for Docker, for a command. */
const concurrency = { lifecycle: 8, exec: 32, image: 1, query: 8 };

/** Milliseconds for jobs to finish at shutdown; then they are handed back, within ten seconds in all. */
const grace = 6_000;
const shutdownDeadline = 10_000;

const env = envOrExit(() => parseWorkerEnv(process.env));
const log = createLog('worker', env.LOG_LEVEL);

await runService(log, async (lifecycle) => {
  const engine = createEngine(env.DOCKER_HOST);
  const host: VmHost = {
    engine,
    instance: env.INSTANCE,
    vmImage: env.VM_IMAGE,
    vmBaseImage: env.VM_BASE_IMAGE,
    vmRuntime: env.VM_RUNTIME,
    sshBindAddress: env.SSH_BIND_ADDRESS,
    cpus: countCpusOnce(engine),
  };
  const consumer = createConsumer({
    redisUrl: env.REDIS_URL,
    instance: env.INSTANCE,
    host: env.HOST_ID,
    concurrency,
    processors: createProcessors(host),
    log,
  });
  lifecycle.onShutdown('jobs', () => consumer.close(grace), shutdownDeadline);
  await consumer.ready;
  // Docker may be away now and come later: jobs say so themselves, this line is for whoever reads the log.
  const cpus = await host.cpus().catch((err: unknown) => log.warn({ err }, 'Docker does not answer'));
  log.info({ host: env.HOST_ID, instance: env.INSTANCE, cpus }, 'taking jobs');
});
