import { mkdir } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { createLifecycle } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';
import { startBerth } from '../../tests/support/berth.ts';
import { docker } from '../../tests/support/docker.ts';
import { crewSize, repliesWhileCreating, repliesWhileRunning } from './busy.ts';
import { anyMessage, type Bench, timeUntil } from './chat.ts';
import { execByChat, execDirectly, findOwnersContainer } from './commands.ts';
import {
  createByChat,
  createDirectly,
  createOwnersVm,
  firstPort,
  lastPort,
  removeLeftovers,
  vmImage,
} from './creations.ts';
import { type Comparison, compare, createFigures, median, table, toRow, withAim } from './figures.ts';
import { measureMemory } from './memory.ts';
import { asJson, only, rounds } from './options.ts';
import { letIn } from './people.ts';
import { openReplay } from './replay.ts';
import { measureTerminals } from './terminal.ts';
import { openThroughput } from './throughput.ts';
import { aborted } from './waiting.ts';

/**
 * How fast Berth is, against Docker and BullMQ alone: `npm run bench [-- --json] [--rounds 10]
 * [--only terminals]`. What is compared is
 * measured in turn, round by round and each first in every other round, so that a machine whose speed drifts, and
 * what others do on it meanwhile, are fair to both.
 */

const jobs = 1_000;
/** Milliseconds. */
const grace = 8_000;
const [replayedVms, eventsOfEach] = [2_000, 100];
/** Memory does not vary like times do. */
const memoryRounds = Math.min(3, rounds);

const loadBefore = loadavg()[0]!;
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const broken = new AbortController();
const { signal } = broken;
const ending = createLifecycle(createLog('bench', 'warn', pino.destination(2)), () => {});
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => broken.abort(new Error(`${name}: broken off`)));
}

const figures = createFigures();
const idle = figures.series('update → first reply, idle', 'ms', '< 30');
const createReply = figures.series('/create → first reply', 'ms', '< 30');
const createBanner = figures.series('/create → SSH banner', 'ms');
const createMessage = figures.series('/create → final message', 'ms');
const dockerBanner = figures.series('the same container by dockerode → SSH banner', 'ms');
const exec = figures.series('/exec echo → final message', 'ms');
const dockerExec = figures.series('docker exec echo by dockerode', 'ms');
const creating = figures.series(`update → first reply, while ${crewSize} VMs are created`, 'ms', '< 30');
const running = figures.series(`update → first reply, while ${crewSize} commands run`, 'ms', '< 30');
const operations = figures.series(`${jobs} operations through the whole path`, '1/s');
const bullmq = figures.series(`${jobs} jobs through BullMQ alone`, '1/s');
const replay = figures.series(`replay of ${(replayedVms * eventsOfEach).toLocaleString('en')} events`, '1/s');

const inTurn = async (round: number, ...pair: (() => Promise<void>)[]): Promise<void> => {
  for (const measure of round % 2 === 0 ? pair : pair.toReversed()) {
    signal.throwIfAborted();
    await measure();
  }
};

const measureAll = async (): Promise<void> => {
  say('starting…');
  const starting = startBerth({
    workers: 2,
    env: {
      SSH_PORT_RANGE: `${firstPort}-${lastPort}`,
      EXEC_TIMEOUT: '300',
      LOG_LEVEL: 'info',
      VM_IMAGE: vmImage,
    },
  });
  // One that did not come up has tidied up behind itself, and its error is thrown below.
  ending.onShutdown('Berth', () => starting.then(removeLeftovers, () => {}), 120_000);
  const berth = await starting;
  say(`${berth.instance} runs`);
  const bench: Bench = { berth, signal };
  const throughput = await openThroughput(jobs, ending.onShutdown, signal);
  const replayed = join(berth.dataDir, 'replay');
  await mkdir(replayed);
  const events = await openReplay(replayed, replayedVms, eventsOfEach);
  ending.onShutdown('replay', events.close);

  const people = await letIn(bench, 1 + crewSize + rounds * 4);
  const take = (count: number): number[] => people.splice(0, count);
  const [owner, crew] = [take(1)[0]!, take(crewSize)];
  await createOwnersVm(bench, owner);
  const containerId = await findOwnersContainer(bench);

  for (let round = 0; round < rounds; round += 1) {
    say(`round ${round + 1} of ${rounds}`);
    const [chatter, creator] = take(2);
    idle((await timeUntil(bench, chatter!, '/plans', anyMessage))[0]!);
    await inTurn(
      round,
      async () => {
        const created = await createByChat(bench, creator!);
        createReply(created.toReply);
        createBanner(created.toBanner);
        createMessage(created.toMessage);
      },
      async () => dockerBanner(await createDirectly(bench, round)),
    );
    await inTurn(
      round,
      async () => exec(await execByChat(bench, owner)),
      async () => dockerExec(await execDirectly(containerId)),
    );
    await inTurn(
      round,
      async () => operations(await throughput.measurePath()),
      async () => bullmq(await throughput.measureAlone()),
      async () => replay(await events.measure()),
    );
  }
  say(`${crewSize} people at once…`);
  const left = await repliesWhileCreating(bench, crew, take(rounds), creating);
  say(`(${left} of ${crewSize} creations were still in flight after the last reply)`);
  await repliesWhileRunning(bench, crew, take(rounds), running);
  say('memory…');
  await measureMemory(bench, memoryRounds, figures);
};

const compareAll = (): Comparison[] => {
  const overhead = median(exec.values) - median(dockerExec.values);
  return [
    withAim(compare('/create → SSH banner, against Docker', createBanner.values, dockerBanner.values), 1.3),
    compare('/create → final message, against Docker', createMessage.values, dockerBanner.values),
    withAim({ name: '/exec → final message, beyond Docker', value: overhead, unit: 'ms' }, 40),
    compare('the whole path, against BullMQ', operations.values, bullmq.values),
  ];
};

const report = async (comparisons: Comparison[], notes: string[]): Promise<void> => {
  // What was left out has no values.
  const measured = figures.all.filter(({ values }) => values.length > 0);
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    node: process.version,
    docker: (await docker.version()).Version,
    /** What others did here meanwhile is part of every figure. */
    loadBefore,
    loadAfter: loadavg()[0]!,
  };
  const where = `${machine.cpus} × ${machine.model}, Node ${machine.node}, Docker ${machine.docker}`;
  const load = `load average ${loadBefore.toFixed(1)} before, ${machine.loadAfter.toFixed(1)} after`;
  const json = { machine, rows: measured.map(toRow), comparisons, notes };
  process.stdout.write(
    asJson
      ? `${JSON.stringify(json, null, 2)}\n`
      : `\n${table(measured, comparisons)}\n${[...notes, `${where}; ${load}`].join('\n')}\n`,
  );
};

const measure = async (): Promise<void> => {
  // First, while nothing else of ours runs.
  say('terminals…');
  const { comparisons, notes } = await measureTerminals(figures, rounds, ending.onShutdown, signal);
  if (only === 'terminals') return await report(comparisons, notes);
  await measureAll();
  await report([...compareAll(), ...comparisons], notes);
};

/**
 * Broken off, a measurement stops at its next step, with what it has begun removed. Ctrl-C ends Redis and the services
 * at the same moment, though, and a step that waits for them would never come: then it is left after some seconds.
 */
const stuck = async (): Promise<never> => {
  await aborted(signal).catch(() => pause(grace));
  throw signal.reason;
};

let status = 0;
try {
  await Promise.race([measure(), stuck()]);
} catch (error) {
  status = signal.aborted ? 130 : 1;
  say(signal.aborted ? String((signal.reason as Error).message) : ((error as Error).stack ?? String(error)));
} finally {
  say('cleaning up…');
  await ending.shutdown();
}
process.exit(status);
