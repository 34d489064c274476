import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DockerProxy, startDockerProxy } from '../services/worker/testing/docker-proxy.ts';
import { type Berth, startBerth } from './support/berth.ts';
import { createClock } from './support/clock.ts';
import { findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/**
 * The clock of the machine is set while operations run: they end as usual, once, and nobody reads of hours. Redis keeps its
 * own clock here, as on another machine.
 */

const hour = 3_600_000;
let clock: Awaited<ReturnType<typeof createClock>>;
let proxy: DockerProxy;
let berth: Berth;
let ann: Participant;
let ben: Participant;
let eve: Participant;

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const triedAgain = () =>
  berth.workers().flatMap((worker) => worker.lines().filter(({ msg }) => msg === 'job will be tried again'));

beforeAll(async () => {
  clock = await createClock();
  proxy = await startDockerProxy();
  const env = { ...clock.env, DOCKER_HOST: proxy.address, EXEC_TIMEOUT: '60' };
  berth = await startBerth({ workers: 2, env });
  ann = await berth.newUser('Ann');
  ben = await berth.newUser('Ben');
  eve = await berth.newUser('Eve');
  await Promise.all([
    ann.ask('/create box', says('box is running'), { timeoutMs: 60_000 }),
    ben.ask('/create den', says('den is running'), { timeoutMs: 60_000 }),
  ]);
}, 240_000);
afterAll(async () => {
  await berth?.stop();
  await proxy?.close();
  await clock?.remove();
});

it.each([
  // A lock lasts fifteen seconds, and is looked after every five: without its renewal a second worker begins the command.
  ['back', hour, 0, 24],
  ['forwards', 0, hour, 5],
] as const)(
  'set %s by an hour, it ends what runs, waits and is retried as usual',
  {
    timeout: 150_000,
  },
  async (_where, before, after, seconds) => {
    await clock.set(before);
    const newest = Math.max(...[ann, ben, eve].map((person) => person.messages().at(-1)!.id));
    const long = await ann.ask(`/exec sleep ${seconds}; echo once | tee -a count`, says('Running'), {
      timeoutMs: 30_000,
    });
    const tried = triedAgain().length;
    proxy.faultOf = (request) => (/^POST \S*\/stop/.test(request) ? 'refuse' : undefined);
    const stop = await ben.ask('/stop', says('Stopping'));
    await expect.poll(() => triedAgain().length, { timeout: 30_000, interval: 20 }).toBeGreaterThan(tried);
    await clock.set(after);
    proxy.faultOf = () => undefined;
    const begun = performance.now();
    const made = eve.ask('/create inn', says('inn is running'), { timeoutMs: 60_000 });
    await ben.waitForMessage(({ id, text }) => id === stop.id && text.includes('is stopped'), {
      timeoutMs: 30_000,
    });
    const retried = (performance.now() - begun) / 1_000;
    await made;
    const ended = await ann.waitForMessage(({ id, text }) => id === long.id && /✅|❌|⌛️/.test(text), {
      timeoutMs: 90_000,
    });
    expect(ended.text).toContain('exit code 0');
    const count = await ann.ask('/exec wc -l < count; rm count', says('exit code 0'), { timeoutMs: 30_000 });
    expect(count.text).toMatch(/\n1\n/);
    await Promise.all([
      ben.ask('/start_vm', says('is running again'), { timeoutMs: 30_000 }),
      eve.pressAndWait(await eve.ask('/destroy'), 0),
      eve.waitForMessage(({ id, text }) => id > newest && text.includes('inn is destroyed'), {
        timeoutMs: 30_000,
      }),
    ]);
    const told = [berth.admin, ann, ben, eve].flatMap((person) =>
      person.messages().filter(({ id, fromBot }) => fromBot && id > newest),
    );
    const versions = await Promise.all(told.map((message) => berth.chat.revisions(message)));
    // An uptime may say what the clock says; what takes seconds may not.
    const hours = versions.flat().filter(({ text }) => /\d h\b|\b(59|60) min/.test(text));
    expect(hours.map(({ text }) => text)).toEqual([]);
    expect(told.map(({ text }) => text).join('\n')).not.toContain('🔴');
    expect(await findContainers(berth.instance)).toHaveLength(2);
    console.log(`${_where}: the retry was done after ${retried.toFixed(1)} s`);
  },
);

it('set back after a worker was killed, it does not keep that worker in the overview', {
  timeout: 90_000,
}, async () => {
  const [killed, left] = berth.workers();
  await killed!.end('SIGKILL');
  await clock.set(0);
  const newest = berth.admin.messages().at(-1)!.id;
  await expect
    .poll(
      async () => {
        const { text } = await berth.admin.ask(
          '/admin_info',
          ({ id, text }) => id > newest && text.includes('Workers'),
        );
        return text.includes(`process ${killed!.pid} `);
      },
      { timeout: 60_000, interval: 2_000 },
    )
    .toBe(false);
  const { text } = berth.admin.messages().at(-1)!;
  expect(text).toContain(`process ${left!.pid} `);
});
