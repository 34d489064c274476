import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { newSecret, sessionName } from '../queues/tickets.ts';
import { startWithGateway, type Vm, type WithGateway } from './support/gateway.ts';
import {
  newWindow,
  openShell,
  openSocket,
  pressButton,
  refusalOf,
  sessionOf,
  startSession,
} from './support/terminal-socket.ts';

/** Who gets into a terminal, and who does not. */

let all: WithGateway;
let vm: Vm;

beforeAll(async () => {
  all = await startWithGateway();
  vm = await all.newVm('Vera', 'atlas');
});
afterAll(() => all?.stop());

const statusWithHost = (path: string, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    request({ port: all.port, path, headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    })
      .on('error', reject)
      .end();
  });

describe('a link', () => {
  it('is not spent by looking at it, however often, and by whatever method', async () => {
    const link = await all.newLink(vm);
    for (const method of ['GET', 'HEAD', 'GET']) expect((await fetch(link, { method })).status).toBe(200);
    expect((await pressButton(link)).status).toBe(303);
  });

  it('opens once, and then says that it was used and what to do', async () => {
    const link = await all.newLink(vm);
    await pressButton(link);
    for (const answer of [await fetch(link), await pressButton(link)]) {
      expect(answer.status).toBe(410);
      expect(await answer.text()).toMatch(/link was used.*\/web_terminal/s);
    }
  });

  it('gives one session when it is pressed many times at once', async () => {
    const link = await all.newLink(vm);
    const answers = await Promise.all(Array.from({ length: 8 }, () => pressButton(link)));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array(7).fill(410)]);
  });

  it('that nobody issued says so', async () => {
    const unknown = await fetch(`${all.origin}/t/${newSecret()}`);
    expect(unknown.status).toBe(404);
    expect(await unknown.text()).toContain('/web_terminal');
    expect((await fetch(`${all.origin}/t/nonsense`)).status).toBe(404);
  });

  it('is not spent from another site, nor without saying from where', async () => {
    const link = await all.newLink(vm);
    expect((await pressButton(link, 'https://evil.example')).status).toBe(403);
    expect((await pressButton(link, 'null')).status).toBe(403);
    expect((await fetch(link, { method: 'POST', redirect: 'manual' })).status).toBe(403);
    expect((await fetch(link)).status).toBe(200);
  });

  it('opens nothing after a revocation, and says why', async () => {
    const other = await all.newVm('Paul', 'other');
    const link = await all.newLink(other);
    await all.revoke({ userId: other.userId, reason: 'user-removed' });
    const pressed = await pressButton(link);
    expect(pressed.status).toBe(404);
    expect(await pressed.text()).toContain('not on the list of users');
    const stopped = await all.newLink(vm);
    await all.revoke({ vmId: vm.vmId, reason: 'vm-stopped' });
    for (const answer of [await fetch(stopped), await pressButton(stopped)])
      expect(await answer.text()).toMatch(/VM was stopped.*\/start_vm.*\/web_terminal/s);
  });
});

describe('the session', () => {
  it('is a cookie that scripts, other sites and other paths do not see', async () => {
    const answer = await pressButton(await all.newLink(vm));
    const [cookie] = answer.headers.getSetCookie();
    const path = answer.headers.get('location');
    const token = /berth_terminal=([^;]+)/.exec(cookie!)![1]!;
    expect(path).toBe(`/terminal/${sessionName(token)}`);
    expect(cookie).toContain(`Path=${path};`);
    expect(cookie).toContain('HttpOnly');
    expect(cookie).toContain('SameSite=Strict');
    expect(cookie).not.toContain('Secure');
    const tunnelled = await fetch(await all.newLink(vm), {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: all.origin, 'x-forwarded-proto': 'https' },
    });
    expect(tunnelled.headers.getSetCookie()[0]).toContain('Secure');
  });

  it('opens its own page and no other', async () => {
    const [one, two] = [await startSession(await all.newLink(vm)), await startSession(await all.newLink(vm))];
    const status = async (path: string, cookie: string) =>
      (await fetch(`${all.origin}${path}`, { headers: { cookie } })).status;
    expect(await status(one.path, one.cookie)).toBe(200);
    expect(await status(one.path, two.cookie)).toBe(403);
    expect(await status(one.path, `berth_terminal=${newSecret()}`)).toBe(403);
    expect(await status(one.path, '')).toBe(403);
    const wrong = openSocket({ ...one, cookie: two.cookie });
    expect(await wrong.closed).toBe(1000);
    expect(wrong.messages).toEqual([{ type: 'ended', reason: 'session-over' }]);
  });

  it('lets no other site, and no page without a name, open the socket', async () => {
    const session = await startSession(await all.newLink(vm));
    const from = (origin: string) => openSocket(session, { headers: { origin } }).socket;
    for (const origin of ['https://evil.example', 'null', `${all.origin}.evil.example`])
      expect(await refusalOf(from(origin))).toBe(403);
    const url = `${all.origin.replace('http', 'ws')}${session.path}/socket?window=${newWindow()}`;
    const { cookie } = session;
    expect(await refusalOf(new WebSocket(url, { headers: { cookie } }))).toBe(403);
    expect(await refusalOf(openSocket(session, { window: '../x' }).socket)).toBe(400);
  });

  it('has at most ten windows, of which none is refused when it comes back before its old line is gone', async () => {
    const session = await startSession(await all.newLink(vm));
    const windows = Array.from({ length: 10 }, newWindow);
    const opened = await Promise.all(
      windows.map(async (window) => {
        const terminal = openSocket(session, { window });
        await terminal.waitFor(({ messages }) => messages.some(({ type }) => type === 'attached'), 40_000);
        return terminal;
      }),
    );
    const eleventh = openSocket(session);
    await eleventh.closed;
    expect(eleventh.messages).toEqual([{ type: 'ended', reason: 'too-many' }]);
    // One that does not read does not answer the close: its old line is still there, as after a loss of the network.
    opened[0]!.socket.pause();
    const back = openSocket(session, { window: windows[0]! });
    await back.waitFor(({ messages }) => messages.length > 0);
    expect(back.messages[0]).toMatchObject({ type: 'attached' });
    opened[0]!.socket.resume();
    opened[0] = back;
    for (const terminal of opened) terminal.say({ type: 'end' });
    await Promise.all(opened.map(({ closed }) => closed));
  }, 60_000);
});

describe('a request', () => {
  it('under a foreign name is not answered', async () => {
    expect(await statusWithHost('/t/x', 'evil.example')).toBe(421);
    expect(await statusWithHost('/t/x', `127.0.0.1.evil.example:${all.port}`)).toBe(421);
    expect(await statusWithHost('/t/x', `localhost:${all.port}`)).toBe(404);
    expect(await statusWithHost('/t/x', `127.0.0.1:${all.port}`)).toBe(404);
  });

  it('gets pages that load nothing from elsewhere, cannot be framed and are not kept', async () => {
    const { headers } = await fetch(await all.newLink(vm));
    const policy = headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('gets the page’s files and nothing beside them', async () => {
    for (const name of ['main.js', 'xterm.mjs', 'xterm.css', 'addon-fit.mjs'])
      expect((await fetch(`${all.origin}/assets/${name}`)).status).toBe(200);
    for (const name of ['terminal.html', 'package.json', '..%2fmain.ts', '%2e%2e/main.ts'])
      expect((await fetch(`${all.origin}/assets/${name}`)).status).toBe(404);
  });
});

describe('the socket', () => {
  it('tells the size, and a paste of a megabyte arrives whole', async () => {
    const terminal = await openShell(await all.newLink(vm));
    terminal.say({ type: 'resize', columns: 132, rows: 43 });
    terminal.send('until stty size | grep "43 132"; do :; done\r');
    await terminal.waitFor(({ output }) => output.includes('43 132\r\n'));
    terminal.send('stty -echo raw; echo now; head -c 1048576 | md5sum; stty sane\r');
    await terminal.waitFor(({ output }) => /[^ ]now/.test(output));
    const piece = Buffer.alloc(64 * 1024, 'x');
    for (let sent = 0; sent < 1024 * 1024; sent += piece.length) terminal.socket.send(piece);
    const sum = createHash('md5')
      .update(Buffer.alloc(1024 * 1024, 'x'))
      .digest('hex');
    await terminal.waitFor(({ output }) => output.includes(sum), 30_000);
    terminal.say({ type: 'end' });
    expect(await terminal.closed).toBe(1000);
    expect(terminal.messages.at(-1)).toEqual({ type: 'ended', reason: 'ended' });
  });

  it('that breaks the rules is closed', async () => {
    const session = sessionOf(all.origin, await pressButton(await all.newLink(vm)));
    for (const text of ['{', '{"type":"resize","columns":0,"rows":1}', '{"type":"open"}', '[]', '']) {
      const terminal = openSocket(session);
      await terminal.waitFor(({ messages }) => messages.length > 0);
      terminal.socket.send(text);
      expect(await terminal.closed).toBe(1008);
    }
    const large = openSocket(session);
    await large.waitFor(({ messages }) => messages.length > 0);
    large.socket.send(Buffer.alloc(300 * 1024));
    expect(await large.closed).toBe(1009);
  });
});
