import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEngine } from '../services/worker/docker/engine.ts';
import { createLeftovers } from '../services/worker/terminal/leftovers.ts';
import { attachCommand, listSessions } from '../services/worker/terminal/tmux.ts';
import { createLog } from '../shared/log.ts';
import { type BareVm, startBareVm } from './support/bare-vm.ts';
import { docker } from './support/docker.ts';

/** What is left of terminals that nobody came back to. */

const engine = createEngine(process.env.DOCKER_HOST || 'unix:///var/run/docker.sock');
const log = createLog('test', 'silent');
let vm: BareVm;
let id: string;

beforeAll(async () => {
  vm = await startBareVm();
  ({ Id: id } = await docker.getContainer(vm.name).inspect());
});
afterAll(() => vm?.remove());

const names = async () => (await listSessions(engine, id, {})).map(({ name }) => name).sort();
/** Attached for good, as by a worker that was killed. */
const attach = async (name: string) => {
  const exec = await docker.getContainer(id).exec({
    ...attachCommand(name, { columns: 80, rows: 24 }),
    Tty: true,
    AttachStdin: true,
    AttachStdout: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
  stream.resume();
  await vi.waitFor(async () => expect(await names()).toContain(name), 10_000);
  stream.destroy();
};

describe('sessions of terminals', () => {
  it('that nobody served for a while are ended by whoever opens the next, with those that are attached for ever', async () => {
    await attach('web-aaaaaaaa-aaaaaaaa');
    await attach('web-bbbbbbbb-bbbbbbbb');
    await vm.exec(['runuser', '-u', 'dev', '--', 'tmux', 'new-session', '-d', '-s', 'web-mine']);
    const leftovers = createLeftovers({ engine, log, patience: 1_500 });
    leftovers.began(id, 'web-bbbbbbbb-bbbbbbbb');
    await vi.waitFor(async () => {
      expect(await leftovers.sweep(id)).toBe(1);
      expect(await names()).toEqual(['web-bbbbbbbb-bbbbbbbb']);
    }, 15_000);
    leftovers.stopped(id, 'web-bbbbbbbb-bbbbbbbb');
    await vi.waitFor(async () => expect(await names()).toEqual([]), 15_000);
    leftovers.close();
    // People's own tmux is none of our business.
    const own = await vm.exec(['runuser', '-u', 'dev', '--', 'tmux', 'ls']);
    expect(own.stdout).toContain('web-mine');
  }, 60_000);

  it('of another worker stay while that one serves them', async () => {
    await attach('web-cccccccc-cccccccc');
    const [one, other] = [1, 2].map(() => createLeftovers({ engine, log, patience: 4_000 }));
    one!.began(id, 'web-cccccccc-cccccccc');
    const seen = new Set<number>();
    await vi.waitFor(async () => {
      expect(await other!.sweep(id)).toBe(1);
      const [session] = await listSessions(engine, id, {});
      seen.add(session!.seenAt);
      // Its time was noted anew, more often than the patience lasts.
      expect(seen.size).toBeGreaterThan(4);
    }, 30_000);
    one!.close();
    other!.close();
  }, 60_000);
});
