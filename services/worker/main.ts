import { nanoid } from 'nanoid';
import { closeRedis, connectRedis, whenReady } from '../../queues/connection.ts';
import { createConsumer } from '../../queues/consumer.ts';
import { noteFirewallLook, readFirewallLook } from '../../queues/firewall.ts';
import { startFiguresWriter } from '../../queues/metrics.ts';
import { createHinter } from '../../queues/reports.ts';
import { startHeartbeat } from '../../shared/heartbeat.ts';
import { envOrExit, runService } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';
import { createProcessMetrics } from '../../shared/metrics/process-metrics.ts';
import { createDiskQuota } from './docker/disk-limits.ts';
import { createEngine } from './docker/engine.ts';
import { watchEngine } from './docker/engine-watch.ts';
import { createGpuProbe, probeGpu } from './docker/gpu.ts';
import { parseWorkerEnv } from './env.ts';
import { createFirewall } from './firewall/firewall.ts';
import { createFactsGatherer, mayHaveGpus } from './host-facts.ts';
import { createProcessors } from './processors.ts';
import { createRollCall } from './roll-call.ts';
import { claimEngine } from './same-engine.ts';
import { startLinkServer } from './terminal/link-server.ts';
import { countCpusOnce, type VmHost } from './vm-host.ts';
import { watchVms } from './watch-vms.ts';

/** Jobs of each kind that one process does at once. Most of their time they wait: for Docker, for a command. */
const concurrency = { lifecycle: 8, exec: 32, image: 1, query: 8, disk: 2 };

/** Milliseconds that a Docker which hung has, once it is back, to answer what it was asked before. */
const lateAnswers = 8_000;

/** Milliseconds for jobs to finish at shutdown; then they are handed back, within ten seconds in all. */
const grace = 6_000;
const shutdownDeadline = 10_000;

const env = envOrExit(() => parseWorkerEnv(process.env));
const log = createLog('worker', env.LOG_LEVEL);

await runService(log, async (lifecycle) => {
  const { REDIS_URL: redisUrl, INSTANCE: instance, HOST_ID: hostId } = env;
  const workerId = nanoid();
  const engine = createEngine(env.DOCKER_HOST);
  const watch = watchEngine(engine, log);
  lifecycle.onShutdown('watching Docker', watch.close);
  const gpu = createGpuProbe(
    () => probeGpu(engine, { instance, image: env.VM_IMAGE, runtime: env.VM_RUNTIME }),
    { onProbed: () => rollCall.now() },
  );
  const answering = connectRedis(redisUrl, 'producer', log);
  lifecycle.onShutdown('roll call’s Redis', () => closeRedis(answering));
  const firewall = createFirewall({
    engine,
    instance,
    image: env.VM_IMAGE,
    mayReach: env.VM_MAY_REACH,
    shared: {
      read: () => readFirewallLook(answering, instance, hostId),
      note: (state, keep) => noteFirewallLook(answering, instance, hostId, state, keep),
    },
    onChanged: () => rollCall.now(),
    log,
  });
  lifecycle.onShutdown('firewall', firewall.close);
  const host: VmHost = {
    engine,
    instance,
    vmImage: env.VM_IMAGE,
    vmBaseImage: env.VM_BASE_IMAGE,
    vmRuntime: env.VM_RUNTIME,
    sshBindAddress: env.SSH_BIND_ADDRESS,
    cpus: countCpusOnce(engine),
    gpu: gpu.ask,
    firewall,
    hasDiskQuota: createDiskQuota(engine, { instance, image: env.VM_IMAGE }),
  };

  const links = await startLinkServer({
    host,
    secret: env.LINK_SECRET,
    bindAddress: env.LINK_BIND_ADDRESS,
    port: env.LINK_PORT,
    publishedHost: env.LINK_HOST,
    log,
  });
  lifecycle.onShutdown('terminals', links.close);

  const gather = createFactsGatherer(host, { dockerHost: env.DOCKER_HOST, knownGpu: gpu.known });
  const rollCall = createRollCall({
    redis: answering,
    instance,
    self: {
      workerId,
      host: hostId,
      pid: process.pid,
      startedAt: new Date().toISOString(),
      terminals: links.address,
    },
    gather: (signal) => gather(AbortSignal.any([signal, watch.untilAway()])),
    log,
  });
  lifecycle.onShutdown('roll call', rollCall.close);
  watch.onChange((answers) => {
    rollCall.now();
    if (!answers) return;
    // What hung with Docker and was not answered since never will be; its own deadline may be half a minute away.
    const back = performance.now();
    setTimeout(() => engine.leaveCallsBegunBefore(back), lateAnswers).unref();
  });

  await whenReady(answering);
  await claimEngine({ redis: answering, instance, host: hostId, engine, watch, lifecycle, log });
  const consumer = createConsumer({
    redisUrl,
    instance,
    host: hostId,
    linkSecret: env.LINK_SECRET,
    concurrency,
    processors: createProcessors(host, watch),
    log,
  });
  lifecycle.onShutdown('jobs', () => consumer.close(grace), shutdownDeadline);
  await consumer.ready;
  rollCall.begin();
  firewall.begin();
  const figures = startFiguresWriter({
    redis: answering,
    instance,
    process: 'worker',
    host: hostId,
    registry: createProcessMetrics(),
    log,
  });
  lifecycle.onShutdown('figures', figures.close);

  const hinting = connectRedis(redisUrl, 'consumer', log);
  lifecycle.onShutdown('hints’ Redis', () => closeRedis(hinting));
  const probeWhereGpusMayBe = async (): Promise<void> => {
    if (await mayHaveGpus(engine)) await gpu.ask({ fresh: true });
  };
  const watching = watchVms({
    engine,
    instance,
    host: hostId,
    workerId,
    tell: createHinter(hinting, instance, log),
    onBack: () => {
      rollCall.now();
      firewall.ensure().catch((err: unknown) => log.warn({ err }, 'could not look at the firewall'));
      probeWhereGpusMayBe().catch((err: unknown) => log.warn({ err }, 'could not look for GPUs'));
    },
    log,
  });
  lifecycle.onShutdown('Docker’s events', watching.close);
  if (env.HEARTBEAT_FILE !== undefined) await startHeartbeat(env.HEARTBEAT_FILE, lifecycle, log);
  log.info({ host: hostId, instance, workerId }, 'taking jobs');
});
