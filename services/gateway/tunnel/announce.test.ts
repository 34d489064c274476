import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readGatewayStatus, type TunnelStatus, writeGatewayStatus } from '../../../queues/gateway-status.ts';
import { createLog } from '../../../shared/log.ts';
import { startRedis } from '../../../tests/support/redis.ts';
import { createAnnouncer } from './announce.ts';

const releases: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

const status: TunnelStatus = {
  way: 'quick',
  origin: 'https://a.trycloudflare.com',
  program: { version: '2025.8.1' },
  wanted: true,
  connected: true,
  since: '2026-01-01T00:00:00.000Z',
  lastProblem: null,
  restarts: 0,
};

describe('the gateway’s status', () => {
  it('is written at the start and at every change, the last word last, and taken back at the end', async () => {
    const server = await startRedis();
    releases.push(server.stop);
    const redis = new Redis(server.url);
    releases.push(() => redis.disconnect());
    // It is written once more when the connection comes.
    await once(redis, 'ready');
    let restarts = 0;
    const announcer = createAnnouncer({
      redis,
      instance: 'berth',
      self: { gatewayId: 'g', pid: 1, startedAt: '2026-01-01T00:00:00.000Z' },
      status: () => ({ ...status, restarts: restarts++ }),
      log: createLog('test', 'silent'),
    });
    announcer.begin();
    for (let change = 0; change < 50; change++) announcer.now();
    const now = () => readGatewayStatus(redis, 'berth', Date.now());
    await vi.waitFor(async () => expect((await now())[0]?.tunnel.restarts).toBe(50));
    await announcer.close();
    expect(await now()).toEqual([]);
  });

  it('of a gateway that fell silent is struck off, and so is what nobody understands', async () => {
    const server = await startRedis();
    releases.push(server.stop);
    const redis = new Redis(server.url);
    releases.push(() => redis.disconnect());
    const at = '2026-01-01T00:00:00.000Z';
    const entry = { gatewayId: 'g', pid: 1, startedAt: at, at, tunnel: status };
    await writeGatewayStatus(redis, 'berth', entry);
    await redis.hset('berth:gateway', 'x', 'no JSON', 'y', '{}');
    expect(await readGatewayStatus(redis, 'berth', Date.parse(at) + 34_000)).toEqual([entry]);
    expect(await redis.hkeys('berth:gateway')).toEqual(['g']);
    expect(await readGatewayStatus(redis, 'berth', Date.parse(at) + 36_000)).toEqual([]);
    expect(await redis.hlen('berth:gateway')).toBe(0);
  });
});
