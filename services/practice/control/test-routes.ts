import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { faultRequest } from '../faults.ts';
import type { Practice } from '../practice.ts';
import { Refusal } from '../refusal.ts';
import { parse } from './parse.ts';

/** For tests: faults on demand, updates delivered again or made up, and what the bot called. */

const rawUpdate = z.record(z.string(), z.unknown());

export const registerTestRoutes = (app: FastifyInstance, practice: Practice): void => {
  const { faults, updates, calls, callbacks } = practice;

  app.get('/practice/faults', async () => faults.list());
  app.post('/practice/faults', async (request) => faults.add(parse(faultRequest, request.body)));
  app.delete('/practice/faults', async () => ({ cleared: faults.clear() }));
  app.delete<{ Params: { id: string } }>('/practice/faults/:id', async (request) => ({
    cleared: faults.clear(request.params.id),
  }));

  app.get('/practice/updates', async () => ({ pending: updates.pending(), recent: updates.recent() }));

  /** One update or a list, which is delivered together. Without an `update_id` it gets the next one. */
  app.post('/practice/updates', async (request) => {
    const list = parse(z.union([z.array(rawUpdate), rawUpdate.transform((one) => [one])]), request.body);
    return { updateIds: list.map((update) => updates.pushRaw(update)) };
  });

  app.post('/practice/updates/:id/redeliver', async (request) => {
    const { id } = parse(z.object({ id: z.coerce.number().int() }), request.params);
    if (!updates.redeliver(id)) throw new Refusal(404, `update ${id} is not known any more`);
    return { ok: true };
  });

  app.get('/practice/calls', async () => calls.list());
  app.get('/practice/callback-answers', async () => callbacks.answers());
};
