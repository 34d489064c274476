import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { endSession, readTerminals } from '../queues/tickets.ts';
import { docker } from './support/docker.ts';
import { startWithGateway, type Vm, type WithGateway } from './support/gateway.ts';
import {
  newWindow,
  openShell,
  openSocket,
  startSession,
  type TerminalSocket,
} from './support/terminal-socket.ts';

/** A terminal ends within five seconds of what ends it, and says why. */

let all: WithGateway;
let vm: Vm;
let other: Vm;

beforeAll(async () => {
  all = await startWithGateway();
  vm = await all.newVm('Vera', 'atlas');
  other = await all.newVm('Paul', 'other');
});
afterAll(() => all?.stop());

const open = async (of = vm) => openShell(await all.newLink(of));
const listed = () => readTerminals(all.redis, all.berth.instance, Date.now());

const endsWithin = async (terminal: TerminalSocket, ms: number) => {
  const begun = performance.now();
  await terminal.closed;
  expect(performance.now() - begun).toBeLessThan(ms);
  return terminal.messages.at(-1);
};

describe('a revocation', () => {
  it.each(['closed-by-owner', 'vm-stopped', 'vm-destroyed', 'maintenance'] as const)(
    'of a VM for %s ends its terminals and no others',
    async (reason) => {
      const [mine, theirs] = [await open(), await open(other)];
      await all.revoke({ vmId: vm.vmId, reason });
      expect(await endsWithin(mine, 5_000)).toEqual({ type: 'ended', reason });
      theirs.send('echo still-$((40+2))\r');
      await theirs.waitFor(({ output }) => output.includes('still-42'));
      theirs.say({ type: 'end' });
      await theirs.closed;
    },
  );

  it('of a person ends all of theirs, and their page says so when they come back', async () => {
    const link = await all.newLink(vm);
    const session = await startSession(link);
    const terminal = openSocket(session);
    await terminal.waitFor(({ output }) => output.includes('$ '));
    await all.revoke({ userId: vm.userId, reason: 'user-removed' });
    const said = { type: 'ended', reason: 'user-removed' };
    expect(await endsWithin(terminal, 5_000)).toEqual(said);
    const again = openSocket(session);
    await again.closed;
    expect(again.messages).toEqual([said]);
  });

  it('that nobody heard is seen all the same, and what was granted later stands', async () => {
    const mine = await open();
    const at = new Date().toISOString();
    await all.redis.set(
      `${all.berth.instance}:revoked:vm:${vm.vmId}`,
      JSON.stringify({ vmId: vm.vmId, userId: null, reason: 'maintenance', at }),
    );
    expect(await endsWithin(mine, 5_000)).toEqual({ type: 'ended', reason: 'maintenance' });
    const later = await open();
    later.say({ type: 'end' });
    expect(await endsWithin(later, 5_000)).toEqual({ type: 'ended', reason: 'ended' });
  });
});

describe('a terminal', () => {
  it('ends with its session', async () => {
    const session = await startSession(await all.newLink(vm));
    const terminal = openSocket(session);
    await terminal.waitFor(({ output }) => output.includes('$ '));
    await endSession(all.redis, all.berth.instance, session.cookie.split('=')[1]!);
    expect(await endsWithin(terminal, 5_000)).toEqual({ type: 'ended', reason: 'session-over' });
  });

  it('ends with its shell', async () => {
    const terminal = await open();
    terminal.send('exit\r');
    expect(await endsWithin(terminal, 5_000)).toEqual({ type: 'ended', reason: 'exited' });
  });

  it('is listed while it is open, and no longer', async () => {
    const terminal = await open();
    await vi.waitFor(async () =>
      expect(await listed()).toMatchObject([{ vmId: vm.vmId, userId: vm.userId }]),
    );
    terminal.socket.close();
    await vi.waitFor(async () => expect(await listed()).toEqual([]));
  });

  it('of a VM that somebody else owns does not open', async () => {
    const link = await all.newLink({ ...vm, userId: other.userId });
    const terminal = openSocket(await startSession(link));
    await terminal.closed;
    expect(terminal.messages.at(-1)).toEqual({ type: 'ended', reason: 'vm-destroyed' });
  });

  it('opens as often as twenty times in a VM, and not once more', async () => {
    const links = await Promise.all([all.newLink(other), all.newLink(other), all.newLink(other)]);
    const sessions = await Promise.all(links.map(startSession));
    const opened: TerminalSocket[] = [];
    for (const session of sessions.slice(0, 2))
      for (let count = 0; count < 10; count += 1) {
        const terminal = openSocket(session, { window: newWindow() });
        await terminal.waitFor(({ messages }) => messages.length > 0);
        opened.push(terminal);
      }
    const one = openSocket(sessions[2]!);
    await one.closed;
    expect(one.messages.at(-1)).toEqual({ type: 'ended', reason: 'too-many' });
    for (const terminal of opened) terminal.say({ type: 'end' });
    await Promise.all(opened.map(({ closed }) => closed));
  }, 60_000);

  it('ends when Docker stops the VM, does not open then, and ends when it is removed', async () => {
    const container = docker.getContainer(other.container);
    const mine = await open(other);
    const stopping = container.stop({ t: 5 });
    await mine.closed;
    expect(mine.messages.at(-1)).toEqual({ type: 'ended', reason: 'vm-stopped' });
    await stopping;
    // The bot hears of it too, and revokes what was granted before: also a link of a moment ago.
    const session = await vi.waitFor(async () => startSession(await all.newLink(other)), 10_000);
    const none = openSocket(session);
    await none.closed;
    expect(none.messages.at(-1)).toMatchObject({
      type: 'ended',
      reason: expect.stringMatching(/vm-(not-running|stopped)/),
    });
    const last = await open();
    await docker.getContainer(vm.container).remove({ force: true });
    await last.closed;
    expect(last.messages.at(-1)).toMatchObject({ reason: expect.stringMatching(/vm-(stopped|destroyed)/) });
  });
});
