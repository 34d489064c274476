import type { FastifyInstance } from 'fastify';
import type { Presence } from '../bot-api/presence.ts';
import type { Practice } from '../practice.ts';
import { takeSnapshot } from './snapshot.ts';

/** `GET /practice/events`: server-sent events, a snapshot first. A watcher that reconnects begins anew. */

const heartbeatMs = 15_000;

export const registerEventRoutes = (app: FastifyInstance, practice: Practice, presence: Presence): void => {
  app.get('/practice/state', async () => takeSnapshot(practice, presence));

  app.get('/practice/events', (request, reply) => {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const write = (event: unknown) => raw.write(`data: ${JSON.stringify(event)}\n\n`);
    write(takeSnapshot(practice, presence));
    const stop = practice.events.watch(write);
    const heartbeat = setInterval(() => raw.write(': still here\n\n'), heartbeatMs);
    raw.once('close', () => {
      stop();
      clearInterval(heartbeat);
    });
    request.raw.socket.setNoDelay(true);
  });
};
