import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { readRollCall } from '../queues/roll-call.ts';
import { linkSecret } from '../queues/testing/link-secret.ts';
import { newChallenge, prove } from '../shared/terminal/handshake.ts';
import { openTerminal, welcome } from '../shared/terminal/protocol.ts';
import { startWithGateway, type Vm, type WithGateway } from './support/gateway.ts';
import type { ServiceProcess } from './support/service-process.ts';
import { newWindow, openShell, openSocket, startSession } from './support/terminal-socket.ts';

/** Whatever anybody sends, gateway and worker go on, and do not grow. */

let all: WithGateway;
let vm: Vm;
let link: string;

const services = (): ServiceProcess[] => [all.gateway(), all.berth.workers()[0]!];
const memoryOf = async ({ pid }: ServiceProcess): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
};
let before: number[];

beforeAll(async () => {
  all = await startWithGateway();
  vm = await all.newVm('Vera', 'atlas');
  await vi.waitFor(async () => {
    const [worker] = await readRollCall(all.redis, all.berth.instance, Date.now());
    expect(worker?.terminals).toMatch(/^ws:/);
    link = worker!.terminals!;
  });
  before = await Promise.all(services().map(memoryOf));
});
afterEach(async () => {
  for (const service of services())
    expect(service.lines().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  const after = await Promise.all(services().map(memoryOf));
  after.forEach((megabytes, index) => {
    expect(megabytes - before[index]!).toBeLessThan(120);
  });
});
afterAll(() => all?.stop());

/** Frames that are wrong in every way, and some that are nearly right. */
const frame = fc.oneof(
  fc.uint8Array({ maxLength: 4_096 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ maxLength: 2_000, unit: 'binary' }),
  fc.json({ maxDepth: 4 }),
  fc
    .record(
      {
        type: fc.constantFrom('resize', 'ack', 'end?', 'open', 'hello', 'welcome', 'ended'),
        columns: fc.anything(),
        rows: fc.anything(),
        bytes: fc.anything(),
      },
      { requiredKeys: ['type'] },
    )
    .map((value) => {
      try {
        return JSON.stringify(value);
      } catch {
        return '{';
      }
    }),
  fc.constantFrom(
    '{"type":"resize","columns":1,"rows":1}',
    '{"type":"resize","columns":1000,"rows":1000}',
    '{"type":"ack","bytes":1073741824}',
    '{"type":"hello","challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
    '{"__proto__":{"type":"end"}}',
  ),
);
const frames = fc.array(frame, { minLength: 1, maxLength: 12 });

const throwAll = async (socket: WebSocket, thrown: (Buffer | string)[]): Promise<void> => {
  if (socket.readyState === WebSocket.CONNECTING) await once(socket, 'open').catch(() => undefined);
  for (const one of thrown) if (socket.readyState === WebSocket.OPEN) socket.send(one);
  socket.close();
  const late = setTimeout(() => socket.terminate(), 2_000);
  if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
  clearTimeout(late);
};
const newSocket = (url: string): WebSocket => {
  const socket = new WebSocket(url);
  socket.on('error', () => undefined); // `close` follows
  return socket;
};
const stillWorks = async () => {
  const terminal = await openShell(await all.newLink(vm));
  terminal.say({ type: 'end' });
  await terminal.closed;
};

/** Shakes hands with the worker as the gateway does. */
const withSecret = async (
  secret: string,
  wish: object,
): Promise<{ socket: WebSocket; answers: string[] }> => {
  const socket = newSocket(link);
  const answers: string[] = [];
  await once(socket, 'open');
  const gateway = newChallenge();
  socket.send(JSON.stringify({ type: 'hello', challenge: gateway }));
  const [data] = await once(socket, 'message');
  const { challenge: worker } = welcome.parse(JSON.parse(String(data)));
  socket.on('message', (answer: Buffer, isBinary) => !isBinary && answers.push(answer.toString()));
  const proof = prove(secret, 'gateway', { gateway, worker });
  socket.send(JSON.stringify({ type: 'open', proof, ...wish }));
  return { socket, answers };
};
const wish = () => ({
  vmId: vm.vmId,
  owner: vm.userId,
  session: newWindow(),
  window: newWindow(),
  columns: 80,
  rows: 24,
});

describe('the worker’s port', () => {
  it('goes on whatever strangers send', async () => {
    await fc.assert(
      fc.asyncProperty(frames, (some) => throwAll(newSocket(link), some)),
      { numRuns: 150 },
    );
    await stillWorks();
  }, 90_000);

  it('opens nothing without the secret, nor with its own proof sent back', async () => {
    const stranger = await withSecret('another secret of more than 32 characters', wish());
    expect((await once(stranger.socket, 'close'))[0]).toBe(1008);
    expect(stranger.answers).toEqual([]);

    const socket = newSocket(link);
    await once(socket, 'open');
    const gateway = newChallenge();
    socket.send(JSON.stringify({ type: 'hello', challenge: gateway }));
    const [data] = await once(socket, 'message');
    const { proof } = welcome.parse(JSON.parse(String(data)));
    socket.send(JSON.stringify({ type: 'open', proof, ...wish() }));
    expect((await once(socket, 'close'))[0]).toBe(1008);
  });

  it('turns away who says nothing, within seconds', async () => {
    const silent = newSocket(link);
    await once(silent, 'open');
    expect((await once(silent, 'close'))[0]).toBe(1008);
  }, 15_000);

  it('goes on whatever a gateway sends', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async (some) => {
        const { socket, answers } = await withSecret(linkSecret, wish());
        await vi.waitFor(() => expect(answers).toContain('{"type":"opened"}'), 10_000);
        socket.send('{"type":"end"}');
        await throwAll(socket, some);
      }),
      { numRuns: 15 },
    );
    await stillWorks();
  }, 90_000);

  it('opens no VM that is not there, and none by a strange name', async () => {
    for (const vmId of ['none', '../../x', 'a/b?c=d', '%2e%2e', '', '\u0000', 'x'.repeat(5_000)]) {
      const { socket, answers } = await withSecret(linkSecret, { ...wish(), vmId });
      await once(socket, 'close');
      expect(answers.filter((text) => text.includes('opened'))).toEqual([]);
    }
    expect(openTerminal.safeParse({ ...wish(), type: 'open', session: 'a;b c$(d)' }).success).toBe(false);
  });
});

describe('the gateway', () => {
  it('goes on whatever a page sends', async () => {
    const session = await startSession(await all.newLink(vm));
    await fc.assert(
      fc.asyncProperty(frames, async (some) => {
        const { socket } = openSocket(session, { window: 'fuzzfuzzfuzz' });
        await throwAll(socket, some);
      }),
      { numRuns: 40 },
    );
    await stillWorks();
  }, 120_000);

  it('answers whatever is asked of its routes, and never with a fault of its own', async () => {
    const part = fc.oneof(
      fc.constantFrom('t', 'terminal', 'assets', 'socket', 'd', 'queues', 'healthz', 'metrics', 'api'),
      fc.string({ maxLength: 60, unit: 'binary' }).map((text) => encodeURIComponent(text.toWellFormed())),
      fc.stringMatching(/^[A-Za-z0-9_%.-]{1,60}$/),
    );
    const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH');
    const type = fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'text/plain', 'x');
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 5 }),
        method,
        type,
        fc.string(),
        async (path, verb, kind, body) => {
          const hasBody = !['GET', 'HEAD', 'OPTIONS'].includes(verb);
          const answer = await fetch(`${all.origin}/${path.join('/')}`, {
            method: verb,
            redirect: 'manual',
            headers: {
              origin: all.origin,
              'content-type': kind,
              cookie: `berth_terminal=${encodeURIComponent(body)}`,
            },
            ...(hasBody ? { body } : {}),
          });
          await answer.arrayBuffer();
          expect(answer.status).not.toBe(500);
        },
      ),
      { numRuns: 400 },
    );
  }, 60_000);

  it('goes on whatever comes over a bare connection', async () => {
    const texts = [
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n',
      `GET /terminal/x/socket HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n`,
      `GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      'POST /t/x HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      '\u0000\u0001\u0002'.repeat(1_000),
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ];
    for (const text of texts) {
      const socket = connect(all.port, '127.0.0.1');
      socket.on('error', () => undefined); // `close` follows
      const closed = once(socket, 'close');
      socket.end(text);
      socket.resume();
      const late = setTimeout(() => socket.destroy(), 1_000);
      await closed;
      clearTimeout(late);
    }
    await stillWorks();
  }, 60_000);
});
