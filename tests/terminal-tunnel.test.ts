import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readGatewayStatus } from '../queues/gateway-status.ts';
import { installCloudflared } from './support/cloudflared-install.ts';
import { startWithGateway, type Vm, type WithGateway } from './support/gateway.ts';
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
  await all.startGateway({ TUNNEL: 'quick', CLOUDFLARED_BIN: cloudflared.program });
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
