import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findContainers } from './support/docker.ts';
import { startWithGateway, type WithGateway } from './support/gateway.ts';
import type { ChatMessage } from './support/practice-client.ts';
import type { LogLine, ServiceProcess } from './support/service-process.ts';

// A machine that is busy takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** Every process may be told to end at any moment; and of everything one id tells the way, from the chat to the container. */

let all: WithGateway;
/** Every process that ever ran, as its log is read later. */
const processes: ServiceProcess[] = [];

const says = (part: string) => (message: ChatMessage) => message.text.includes(part);
const slow = { timeoutMs: 60_000 };

beforeAll(async () => {
  all = await startWithGateway({ workers: 2 });
  processes.push(all.berth.bot(), ...all.berth.workers(), all.gateway());
});
afterAll(() => all?.stop());

const linesWith = (correlationId: string): LogLine[] =>
  processes.flatMap((one) => one.lines().filter((line) => line.correlationId === correlationId));

const idsOf = (type: string): string[] => {
  const database = new Sqlite(join(all.berth.dataDir, 'berth.db'), { readonly: true });
  const ids = database.prepare('select correlation_id from events where type = ?').pluck().all(type);
  database.close();
  return ids as string[];
};

describe('SIGTERM', () => {
  it('in the middle of a creation ends bot, workers and gateway in order, and the creation goes on with the next ones', async () => {
    const { berth } = all;
    await berth.admin.ask('/create box', says('Creating'));
    const ended = [berth.bot(), ...berth.workers(), all.gateway()].map((one) => one.end('SIGTERM'));
    const begun = performance.now();
    expect(await Promise.all(ended)).toEqual([0, 0, 0, 0]);
    expect(performance.now() - begun).toBeLessThan(15_000);
    berth.workers().splice(0);
    processes.push(await berth.startBot(), await berth.startWorker(), await all.startGateway());
    await berth.admin.waitForMessage(says('box is running'), slow);
    expect(await findContainers(berth.instance)).toHaveLength(1);
  });

  it('lets a short command come to its end, and tells it once', async () => {
    const { berth } = all;
    // The command's own text comes first; its output shows that it runs.
    const running = await berth.admin.ask(
      '/exec echo begun; sleep 2; echo ended',
      ({ text }) => /ended\n+begun/.test(text),
      slow,
    );
    const [worker] = berth.workers();
    expect(await worker!.end('SIGTERM')).toBe(0);
    const done = await berth.admin.waitForMessage(
      ({ id, text }) => id === running.id && text.includes('Done'),
      slow,
    );
    expect(done.text).toContain('begun\nended');
    berth.workers().splice(0);
    processes.push(await berth.startWorker());
  });

  it('is no error in any log', () => {
    const wrong = processes.flatMap((one) =>
      one.lines().filter(({ level }) => level === 'error' || level === 'fatal'),
    );
    expect(wrong).toEqual([]);
  });
});

describe('one id', () => {
  it('leads from the update through bot and worker to the container, and back to the outcome', async () => {
    const [id] = idsOf('VmRequested');
    expect(idsOf('VmCreated')).toEqual([id]);
    const lines = linesWith(id!);
    const [container] = await findContainers(all.berth.instance);
    expect(lines.find(({ msg }) => msg === 'update')).toMatchObject({ service: 'bot' });
    expect(lines.find(({ containerId }) => containerId === container!.Id)).toMatchObject({
      service: 'worker',
    });
    expect(lines.find(({ msg }) => msg === 'outcome recorded')).toMatchObject({
      service: 'bot',
      events: ['VmCreated'],
    });
  });

  it('leads from the update through the gateway to a link', async () => {
    const { admin } = all.berth;
    await admin.ask(
      '/web_terminal',
      ({ buttons }) => buttons.flat().some(({ url }) => url?.includes('/t/')),
      slow,
    );
    const [id] = idsOf('LinkRequested');
    expect(idsOf('LinkOffered')).toEqual([id]);
    const services = new Set(linesWith(id!).map(({ service }) => service));
    expect([...services].sort()).toEqual(['bot', 'gateway']);
  });
});
