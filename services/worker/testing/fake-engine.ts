import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What answers in Docker's place where this machine's Docker cannot say what a test is about. */

export type Answer = { status?: number; body: unknown };
/** `request` such as `POST /containers/create`, without the version; undefined: the handler has answered itself. */
export type Handler = (
  request: string,
  body: unknown,
  response: ServerResponse,
) => Answer | undefined | Promise<Answer | undefined>;

const readBody = async (message: IncomingMessage): Promise<unknown> => {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  const text = Buffer.concat(pieces).toString();
  return text === '' ? undefined : JSON.parse(text);
};

export const startFakeEngine = async (handler: Handler) => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-engine-'));
  const path = join(folder, 'docker.sock');
  const server = createServer(async (message, response) => {
    const body = await readBody(message);
    const route = message.url?.replace(/^\/v[\d.]+/, '').replace(/\?.*/, '');
    const answer = await handler(`${message.method} ${route}`, body, response);
    if (answer === undefined) return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
    response.end(Buffer.isBuffer(answer.body) ? answer.body : JSON.stringify(answer.body));
  }).listen(path);
  await once(server, 'listening');
  return {
    /** As in DOCKER_HOST. */
    address: `unix://${path}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
};
