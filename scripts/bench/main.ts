import { parseArgs } from 'node:util';
import { startBerth } from '../../tests/support/berth.ts';
import { findContainers } from '../../tests/support/docker.ts';
import { banner, benchFirstPort, createByChat, createDirectly, execDirectly } from './against-docker.ts';
import { timeUntil } from './chat.ts';
import { median, type Series, table, toRow } from './figures.ts';
import { measureMemory } from './memory.ts';
import { measureReplay } from './replay.ts';
import { measureBullmq, measureOperations } from './throughput.ts';

/**
 * How fast Berth is, against Docker and BullMQ alone: `npm run bench [-- --json] [--rounds 10]`. What is compared is
 * measured in turn, round by round, so that a machine whose speed drifts is fair to both.
 */

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '10' } },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write('--rounds must be a whole number from 1 on\n');
  process.exit(2);
}

const say = (text: string): void => {
  if (!options.json) process.stderr.write(`${text}\n`);
};

const anyMessage = () => true;
const inFlight = 30;
const jobs = 1_000;

const berth = await startBerth({
  workers: 2,
  env: {
    SSH_PORT_RANGE: `${benchFirstPort}-${benchFirstPort + 400}`,
    EXEC_TIMEOUT: '300',
    LOG_LEVEL: 'info',
  },
});
const stop = () => berth.stop();
process.once('SIGINT', () => void stop().finally(() => process.exit(130)));

const all: Series[] = [];
const add = (name: string, unit: string, aim?: string): number[] => {
  const values: number[] = [];
  all.push({ name, unit, values, ...(aim === undefined ? {} : { aim }) });
  return values;
};

try {
  say(`${rounds} rounds; people are let in…`);
  await berth.admin.ask('/start');
  const people: number[] = [];
  for (let index = 0; index < rounds * 2 + 1; index += 1) people.push((await berth.newUser(`P${index}`)).id);
  const owner = berth.chat.person(people[0]!);
  await owner.ask('/create main', ({ text }) => text.includes('is running'), { timeoutMs: 60_000 });
  const [{ Id: containerId } = { Id: '' }] = await findContainers(berth.instance);

  const idle = add('update → first reply, idle', 'ms', '< 30');
  const toBanner = add('/create → SSH banner', 'ms');
  const toMessage = add('/create → final message', 'ms');
  const direct = add('the same container by dockerode → banner', 'ms');
  const exec = add('/exec echo → message', 'ms');
  const execDirect = add('docker exec echo by dockerode', 'ms');
  for (let round = 0; round < rounds; round += 1) {
    say(`round ${round + 1}`);
    const [chatter, creator] = [people[1 + round * 2]!, people[2 + round * 2]!];
    idle.push(...(await timeUntil(berth, chatter, '/plans', anyMessage)));
    const created = await createByChat(berth, creator, benchFirstPort + 1);
    toBanner.push(created.toBanner);
    toMessage.push(created.toMessage);
    direct.push(await createDirectly(berth, round));
    exec.push(
      ...(await timeUntil(berth, owner.id, '/exec echo hello', ({ text }) => text.includes('exit code 0'))),
    );
    execDirect.push(await execDirectly(containerId));
  }

  say(`${inFlight} operations in flight…`);
  const loaded = add(`update → first reply, ${inFlight} operations in flight`, 'ms', '< 30');
  for (let index = 0; index < inFlight; index += 1) await owner.send('/exec sleep 200');
  await berth.bot().waitForLine(
    () =>
      berth
        .bot()
        .lines()
        .filter(({ job }) => job === 'exec').length >=
      inFlight + rounds,
  );
  for (let round = 0; round < rounds; round += 1) {
    loaded.push(...(await timeUntil(berth, people[1 + round * 2]!, '/plans', anyMessage)));
  }
  await banner(benchFirstPort);

  say('throughput…');
  const operations = add('operations through the whole path', '1/s');
  const alone = add('jobs through BullMQ alone', '1/s');
  for (let round = 0; round < Math.min(3, rounds); round += 1) {
    operations.push(await measureOperations(jobs));
    alone.push(await measureBullmq(jobs));
  }
  say('replay of 200,000 events…');
  add('replay', 'events/s').push(await measureReplay(2_000, 100));
  say('memory…');
  all.push(...(await measureMemory(berth)));

  const ratios = {
    createAgainstDocker: median(toBanner) / median(direct),
    createMessageAgainstDocker: median(toMessage) / median(direct),
    execOverDockerMs: median(exec) - median(execDirect),
    operationsAgainstBullmq: median(operations) / median(alone),
  };
  const rows = all.map(toRow);
  if (options.json) process.stdout.write(`${JSON.stringify({ rounds, rows, ratios }, null, 2)}\n`);
  else {
    process.stdout.write(`\n${table(rows)}\n
/create until the banner, against Docker alone: ${ratios.createAgainstDocker.toFixed(2)}×  (aim 1.3×)
/create until the message, against Docker alone: ${ratios.createMessageAgainstDocker.toFixed(2)}×
/exec over docker exec: ${ratios.execOverDockerMs.toFixed(0)} ms  (aim 40 ms)
the whole path against BullMQ alone: ${ratios.operationsAgainstBullmq.toFixed(2)}×\n`);
  }
} finally {
  await stop();
}
process.exit(0);
