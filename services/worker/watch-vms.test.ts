import type { ServerResponse } from 'node:http';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Hint } from '../../queues/hints.ts';
import { createEngine } from './docker/engine.ts';
import { createLineReader, type VmEvent } from './docker/events.ts';
import { runInContainer } from './docker/exec.ts';
import { createVmProcessor } from './processors/create-vm.ts';
import { testContext } from './testing/context.ts';
import { startDockerProxy } from './testing/docker-proxy.ts';
import { startFakeEngine } from './testing/fake-engine.ts';
import { ensureTestImage } from './testing/image.ts';
import { newVmOrder } from './testing/orders.ts';
import { docker, removeInstance, testHost } from './testing/vm-host.ts';
import { hintId, watchVms } from './watch-vms.ts';

const host = testHost();
type Told = { id: string; hint: Hint };
const releases: (() => Promise<unknown>)[] = [];

beforeAll(() => ensureTestImage(host));
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});
afterAll(() => removeInstance());

const watch = (engine = host.engine, workerId = 'w1', pulse = { every: 50, deadline: 500 }) => {
  const told: Told[] = [];
  const logs: string[] = [];
  const watching = watchVms({
    engine,
    instance: host.instance,
    host: 'h1',
    workerId,
    tell: async (id, hint) => {
      told.push({ id, hint });
    },
    log: pino({ level: 'warn' }, { write: (line: string) => logs.push(line) }),
    pulse,
  });
  releases.push(() => watching.close());
  const kinds = () => told.map(({ hint }) => hint.kind);
  return { told, logs, kinds };
};
type Watch = ReturnType<typeof watch>;
const untilBack = ({ kinds }: Watch, times = 1) =>
  vi.waitFor(() => expect(kinds().filter((kind) => kind === 'engine-back').length).toBe(times), 10_000);

describe('watching VMs', () => {
  it('hints at a death and at starvation, once for all workers that hear of it', async () => {
    const order = await newVmOrder({
      limits: { memoryBytes: 96 * 1024 ** 2, cpus: 1, diskBytes: 1, gpu: false, sudo: true },
    });
    const { containerId } = await createVmProcessor(host)(order, testContext());
    const [one, other] = [watch(), watch(host.engine, 'w2')];
    await Promise.all([one, other].map((each) => untilBack(each)));
    const hungry = ['python3', '-c', 'bytearray(400 << 20)'];
    const { exitCode } = await runInContainer(host.engine, containerId, { argv: hungry }, {});
    expect(exitCode).toBe(137);
    await vi.waitFor(() => expect(one.kinds()).toContain('out-of-memory'), 5_000);
    expect((await docker.getContainer(containerId).inspect()).State.Running).toBe(true);
    await docker.getContainer(containerId).kill();
    await vi.waitFor(() => {
      for (const { kinds } of [one, other]) expect(kinds()).toContain('died');
    }, 5_000);
    await docker.getContainer(containerId).remove();
    await vi.waitFor(() => {
      for (const { kinds } of [one, other]) expect(kinds()).toContain('removed');
    }, 5_000);
    const ids = ({ told }: Watch) => told.filter(({ hint }) => hint.kind === 'died').map(({ id }) => id);
    expect(ids(one)).toEqual([expect.stringMatching(`^died-${containerId.slice(0, 12)}-\\d+$`)]);
    expect(ids(other)).toEqual(ids(one));
    const { hint } = one.told.find(({ id }) => id === ids(one)[0])!;
    expect(hint).toMatchObject({ host: 'h1', vmId: order.vmId });
    expect(Math.abs(Date.parse(hint.at) - Date.now())).toBeLessThan(10_000);
    expect(one.told[0]).toMatchObject({
      id: expect.stringMatching(/^engine-back-w1-\d+$/),
      hint: { vmId: null },
    });
  });

  it('connects again when the connection breaks, and says so once per outage', async () => {
    const proxy = await startDockerProxy();
    releases.push(() => proxy.close());
    const watching = watch(createEngine(proxy.address));
    await untilBack(watching);
    proxy.faultOf = () => 'cut';
    await vi.waitFor(() => expect(watching.logs).toHaveLength(1), 5_000);
    const asked = vi.fn();
    proxy.faultOf = (request) => {
      asked(request);
      return asked.mock.calls.length < 4 ? 'cut' : undefined;
    };
    await untilBack(watching, 2);
    expect(watching.logs).toHaveLength(1);
  });

  it('notices an engine that falls silent without a word', async () => {
    const proxy = await startDockerProxy();
    releases.push(() => proxy.close());
    const watching = watch(createEngine(proxy.address), 'w1', { every: 20, deadline: 100 });
    await untilBack(watching);
    proxy.faultOf = () => 'hang';
    await vi.waitFor(() => expect(watching.logs).toHaveLength(1), 5_000);
    proxy.faultOf = () => undefined;
    await untilBack(watching, 2);
  });

  it('survives an engine that is away from the beginning', async () => {
    const watching = watch(createEngine('unix:///nowhere/docker.sock'));
    await vi.waitFor(() => expect(watching.logs).toHaveLength(1));
    expect(watching.told).toEqual([]);
  });
});

describe('an engine of another kind', () => {
  let fake: Awaited<ReturnType<typeof startFakeEngine>>;
  let created = '';
  let events: ServerResponse[] = [];
  beforeAll(async () => {
    fake = await startFakeEngine((request, _body, response) => {
      if (request !== 'GET /events') return { body: { Created: created } };
      response.flushHeaders();
      events.push(response);
      return undefined;
    });
  });
  afterEach(() => {
    events = [];
  });
  afterAll(() => fake.close());

  it('may send lines in any pieces, and what is no event; a storm of starvation is told once', async () => {
    created = '2026-01-01T00:00:00Z';
    const watching = watch(createEngine(fake.address));
    await untilBack(watching);
    const event = (Action: string, vm: string | null, timeNano: number) =>
      `${JSON.stringify({ Action, Actor: { ID: 'c'.repeat(64), Attributes: { note: '🐳', ...(vm && { 'berth.vm': vm }) } }, timeNano })}\n`;
    const at = 1_795_523_182_000_000_000;
    const storm = Array.from({ length: 200 }, (_, index) => event('oom', 'vm1', at + index * 1_000_000));
    const text = [
      'no json\n\n{}\n[1]\nnull\n',
      event('die', null, at),
      ...storm,
      event('die', 'vm2', at),
    ].join('');
    for (const byte of Buffer.from(text)) events[0]?.write(Buffer.from([byte]));
    await vi.waitFor(() => expect(watching.kinds()).toContain('died'), 5_000);
    expect(watching.told.slice(1).map(({ id, hint }) => [id, hint.vmId])).toEqual([
      ['out-of-memory-cccccccccccc-1795523180000000000', 'vm1'],
      [expect.stringMatching(/^died-cccccccccccc-\d+$/), 'vm2'],
    ]);
  });

  it('is another one when it has begun anew, though the old connection says nothing', async () => {
    created = '2026-01-01T00:00:00Z';
    const watching = watch(createEngine(fake.address));
    await untilBack(watching);
    await vi.waitFor(() => expect(events).toHaveLength(1));
    created = '2026-01-02T00:00:00Z';
    await untilBack(watching, 2);
    expect(events).toHaveLength(2);
  });
});

describe('a hint', () => {
  const event: VmEvent = { kind: 'died', vmId: 'vm1', containerId: 'abcdef012345678', timeNano: 25e18 };

  it('has an id that BullMQ takes, the same for the same event', () => {
    expect(hintId(event)).toBe('died-abcdef012345-25000000000000000000');
    expect(hintId(event)).not.toContain(':');
    expect(hintId({ ...event, kind: 'out-of-memory', timeNano: 25e18 + 1e6 })).toBe(
      hintId({ ...event, kind: 'out-of-memory' }),
    );
  });

  it('is made of whole lines', () => {
    const lines: string[] = [];
    const read = createLineReader((line) => lines.push(line));
    for (const piece of ['a\nb', 'c', '\n\nd']) read(Buffer.from(piece));
    expect(lines).toEqual(['a', 'bc', '']);
  });
});
