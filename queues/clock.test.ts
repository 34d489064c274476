import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createLog } from '../shared/log.ts';
import { startRedis, type TestRedis } from '../tests/support/redis.ts';
import { connectRedis } from './connection.ts';
import { promoteFarAway } from './delayed-jobs.ts';
import { answerRollCall, readRollCall } from './roll-call.ts';
import {
  findRevocation,
  findSession,
  type Grant,
  issueTicket,
  newSecret,
  revoke,
  spendTicket,
} from './tickets.ts';

/** What lies in Redis when the clock of a machine is set. */

const instance = 'test';
const hour = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();
let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, 'consumer', createLog('test', 'silent'));
});
beforeEach(() => server.wipe());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const enter = async (grantedAt: number): Promise<Grant> => {
  const to: Grant = {
    kind: 'terminal',
    userId: 1,
    vmId: 'v',
    vmName: 'box',
    host: 'h',
    grantedAt: iso(grantedAt),
  };
  const ticket = newSecret();
  await issueTicket(redis, instance, ticket, to);
  const { token } = (await spendTicket(redis, instance, ticket))!;
  return (await findSession(redis, instance, token))!.grant;
};
const removeUser = (at: number) =>
  revoke(redis, instance, { vmId: null, userId: 1, reason: 'user-removed', at: iso(at) });

it.each([
  ['back', -hour],
  ['forwards', hour],
])(
  'a session from before is void, and one from after is good, though the clock was set %s',
  async (_where, jump) => {
    const now = Date.now();
    const before = await enter(now);
    await removeUser(now + jump);
    const after = await enter(now + jump);
    expect(await findRevocation(redis, instance, before)).toMatchObject({ reason: 'user-removed' });
    expect(await findRevocation(redis, instance, after)).toBeNull();
  },
);

it('of two things in the same millisecond the later one counts', async () => {
  const before = await enter(5);
  await removeUser(5);
  expect(await findRevocation(redis, instance, before)).not.toBeNull();
  expect(await findRevocation(redis, instance, await enter(5))).toBeNull();
});

it('lets go a try that the clock has put far away, and no other', async () => {
  const queue = new Queue('q', { connection: redis, prefix: instance });
  await queue.add('far', {}, { delay: hour, jobId: 'far-1' });
  await queue.add('near', {}, { delay: 10_000, jobId: 'near-1' });
  expect(await promoteFarAway(redis, queue, Date.now())).toBe(1);
  expect(await queue.getJobState('far-1')).toBe('waiting');
  expect(await queue.getJobState('near-1')).toBe('delayed');
});

it.each([
  ['an hour ago', -hour, 0],
  ['in an hour, as the clock then said', hour, 0],
  ['just now', 0, 1],
])('a worker that wrote itself down %s counts accordingly', async (_when, ago, present) => {
  const now = Date.now();
  const entry = { workerId: 'w', host: 'h', pid: 1, startedAt: iso(now), at: iso(now + ago), facts: null };
  await answerRollCall(redis, instance, entry);
  expect(await readRollCall(redis, instance, now)).toHaveLength(present);
});
