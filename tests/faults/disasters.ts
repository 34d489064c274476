import { setTimeout as pause } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { databasePath } from '../../services/bot/store/store.ts';
import type { FaultRequest } from '../../services/practice/faults.ts';
import type { DockerProxy, Fault } from '../../services/worker/testing/docker-proxy.ts';
import type { Berth } from '../support/berth.ts';
import type { Participant } from '../support/practice-client.ts';
import type { SecondEngine } from '../support/second-engine.ts';
import type { Random } from './random.ts';
import { repeatReports } from './repeat-reports.ts';
import type { Slot } from './slots.ts';

/** What happens around Berth: to Redis, Docker, Telegram, the database, the processes as a whole. One at a time. */

export type World = {
  berth: Berth;
  slots: readonly Slot[];
  proxy: DockerProxy;
  people: readonly Participant[];
  /** Where the run has an engine of its own, which it may restart. */
  ownEngine: SecondEngine | undefined;
  /** Counted for those who judge. */
  counts: { engineRestarts: number; refusals: number };
  signal: AbortSignal;
};

export type Disaster = {
  name: string;
  suits?(world: World): boolean;
  /** Ends when it is over, or soon after the signal; leaves everything as it was. */
  strike(world: World, random: Random): Promise<void>;
};

/** Waits so many milliseconds, or until the run is over. */
const last = (ms: number, { signal }: World): Promise<void> =>
  pause(ms, undefined, { signal }).catch(() => undefined);

const redis: Disaster[] = [
  { name: 'Redis is killed and restarted', strike: ({ berth }) => berth.redis.restart() },
  { name: 'Redis is wiped', strike: ({ berth }) => berth.redis.wipe() },
  { name: 'Redis is restarted without anything', strike: ({ berth }) => berth.redis.restartEmpty() },
  {
    name: 'Redis is away',
    async strike(world, random) {
      await world.berth.redis.kill9();
      await last(2_000 + random.below(8_000), world);
      await world.berth.redis.restart();
    },
  },
];

/** Every so many requests to Docker have the fault; those of a few seconds. */
const dockerTrouble = (fault: Fault): Disaster => ({
  name: `Docker: ${fault}`,
  async strike(world, random) {
    world.proxy.faultOf = () => (random.chance(0.25) ? fault : undefined);
    await last(2_500, world);
    world.proxy.faultOf = () => undefined;
  },
});

/** `count`: where those who judge must know how often it struck. */
const telegramTrouble = (name: string, request: FaultRequest, ms: number, count?: 'refusals'): Disaster => ({
  name: `Telegram: ${name}`,
  async strike(world) {
    const { clear } = await world.berth.chat.fault(request);
    if (count !== undefined) world.counts[count] += request.times ?? 0;
    await last(ms, world);
    await clear();
  },
});

const telegram: Disaster[] = [
  telegramTrouble('429', { kind: 'too-many-requests', retryAfter: 2, times: 4 }, 3_000),
  telegramTrouble('502', { kind: 'server-error', times: 6 }, 3_000),
  telegramTrouble(
    '502 after it was done',
    { kind: 'server-error', method: 'sendMessage', done: true, times: 2 },
    3_000,
  ),
  telegramTrouble('cut off', { kind: 'drop', times: 8 }, 3_000),
  telegramTrouble(
    'cut off after it was done',
    { kind: 'drop', method: 'sendMessage', done: true, times: 2 },
    3_000,
  ),
  // Not the polls: an unanswered one takes the bot the 40 s after which it counts as lost.
  telegramTrouble('silent', { kind: 'silence', method: 'sendMessage', times: 3 }, 3_000),
  telegramTrouble(
    'silent after it was done',
    { kind: 'silence', method: 'editMessageText', done: true, times: 2 },
    3_000,
  ),
  telegramTrouble(
    'it cannot parse the entities',
    // Once: what is sent then has no entities any more.
    { kind: 'refuse', description: "Bad Request: can't parse entities: no", times: 1 },
    3_000,
  ),
  telegramTrouble(
    'it will not have a message',
    { kind: 'refuse', method: 'editMessageText', description: 'Bad Request: never', times: 1 },
    3_000,
    'refusals',
  ),
  {
    name: 'Telegram: somebody blocks the bot for a while',
    async strike(world, random) {
      const person = random.pick(world.people);
      await person.block();
      await last(3_000, world);
      await person.unblock();
    },
  },
];

const deliveries: Disaster[] = [
  { name: 'every report comes again', strike: ({ berth }) => repeatReports(berth) },
  {
    name: 'updates come again, three times',
    async strike({ berth }, random) {
      const { recent } = await berth.chat.updates();
      const last = recent.slice(-12);
      if (last.length === 0) return;
      const again = random.pick(last);
      for (let time = 0; time < 3; time++) await berth.chat.redeliver(again.update_id);
      for (const { update_id } of last.slice(-5)) await berth.chat.redeliver(update_id);
    },
  },
  {
    name: 'a batch with a poisonous update',
    async strike({ berth, people }, random) {
      const { id } = random.pick(people);
      const from = { id, is_bot: false, first_name: 'P' };
      const chat = { id, type: 'private' };
      const command = (text: string) => ({ message: { message_id: 1, date: 0, from, chat, text } });
      await berth.chat.rawUpdate([
        command('/plans'),
        { message: { message_id: 1, from, text: 7 } },
        command('/help'),
      ]);
    },
  },
];

const storage: Disaster[] = [
  {
    name: 'the database is busy for 11 s',
    async strike(world) {
      const other = new Sqlite(databasePath(world.berth.dataDir), { timeout: 5_000 });
      try {
        other.exec('begin immediate');
        await last(11_000, world);
        other.exec('rollback');
      } finally {
        other.close();
      }
    },
  },
];

const processes: Disaster[] = [
  {
    name: 'a worker stands still for 21 s',
    async strike(world, random) {
      random.pick(world.slots.filter(({ name }) => name.startsWith('worker'))).standStill(21_000);
      await last(4_000, world);
    },
  },
  {
    name: 'a worker is ended in order',
    async strike({ slots }, random) {
      random
        .pick(slots.filter(({ name }) => name.startsWith('worker')))
        .current()
        ?.signal('SIGTERM');
    },
  },
  {
    name: 'everything is killed at once',
    async strike({ slots }) {
      for (const slot of slots) slot.current()?.signal('SIGKILL');
    },
  },
];

const engines: Disaster[] = [
  {
    name: 'Docker is restarted',
    suits: ({ ownEngine }) => ownEngine !== undefined,
    async strike({ ownEngine, counts }) {
      counts.engineRestarts += 1;
      await ownEngine!.begin('restart');
    },
  },
  {
    name: 'the host loses its power',
    suits: ({ ownEngine }) => ownEngine !== undefined,
    async strike({ ownEngine, counts }) {
      counts.engineRestarts += 1;
      await ownEngine!.begin('power-cycle');
    },
  },
];

const docker = (['cut', 'half', 'refuse', 'hang'] as const).map(dockerTrouble);

export const disasters: readonly Disaster[] = [
  ...redis,
  ...docker,
  ...telegram,
  ...deliveries,
  ...storage,
  ...processes,
  ...engines,
];
