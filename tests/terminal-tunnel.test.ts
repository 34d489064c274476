import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readGatewayStatus } from '../queues/gateway-status.ts';
import { installCloudflared } from './support/cloudflared-install.ts';
import { startWithGateway, type Vm, type WithGateway } from './support/gateway.ts';
import { placesWith } from './support/stored.ts';
import { openSocket, pressButton, sessionOf } from './support/terminal-socket.ts';

/** The terminal by the tunnel's address, through a stand-in of cloudflared that really forwards. */

let all: WithGateway;
let vm: Vm;
let origin: string;
const cloudflared = installCloudflared({ forwardedProto: 'https' });

beforeAll(async () => {
  all = await startWithGateway();
  vm = await all.newVm('Vera', 'atlas');
  await all.gateway().end();
  await all.startGateway({ TUNNEL: 'quick', CLOUDFLARED_BIN: cloudflared.program, LOG_LEVEL: 'trace' });
  origin = await vi.waitFor(async () => {
    const [status] = await readGatewayStatus(all.redis, all.berth.instance, Date.now());
    expect(status?.tunnel.connected).toBe(true);
    return status!.tunnel.origin;
  }, 30_000);
});
afterAll(async () => {
  await all?.stop();
  cloudflared.remove();
});

it('is opened, used and ended through the tunnel, with a cookie for https alone', async () => {
  expect(origin).not.toBe(all.origin);
  const link = (await all.newLink(vm)).replace(all.origin, origin);
  expect((await fetch(link)).status).toBe(200);
  expect((await pressButton(link, 'https://evil.example')).status).toBe(403);
  const pressed = await pressButton(link);
  expect(pressed.headers.getSetCookie()[0]).toContain('Secure');
  const terminal = openSocket(sessionOf(link, pressed));
  await terminal.waitFor(({ output }) => output.includes('$ '));
  terminal.send('echo through-$((40+2))\r');
  await terminal.waitFor(({ output }) => output.includes('through-42'));
  terminal.say({ type: 'end' });
  expect(await terminal.closed).toBe(1000);
});

it('leaves ticket and session token in no log, neither cloudflared’s nor ours', async () => {
  const link = (await all.newLink(vm)).replace(all.origin, origin);
  const pressed = await pressButton(link);
  const terminal = openSocket(sessionOf(link, pressed));
  await terminal.waitFor(({ output }) => output.includes('$ '));
  terminal.say({ type: 'end' });
  await terminal.closed;
  expect((await pressButton(link)).status).toBe(410);
  const ticket = link.split('/').at(-1)!;
  const token = /^berth_terminal=([\w-]{43});/.exec(pressed.headers.getSetCookie()[0]!)?.[1];
  expect(token).toBeDefined();
  // cloudflared's lines are among the gateway's.
  expect(all.gateway().lines()).toContainEqual(expect.objectContaining({ msg: 'cloudflared' }));
  for (const secret of [ticket, token!]) {
    expect(all.gateway().output()).not.toContain(secret);
    expect(await placesWith(all.berth, secret)).toEqual([]);
  }
});
