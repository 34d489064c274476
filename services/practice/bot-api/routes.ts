import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type Fault, faultRefusal } from '../faults.ts';
import type { Practice } from '../practice.ts';
import { badRequest, Refusal, refusalBody } from '../refusal.ts';
import { readCallBody } from './body.ts';
import type { Call, Method } from './method.ts';
import { findMethod } from './methods.ts';
import { integer } from './parameters.ts';
import type { Presence } from './presence.ts';

/** `/bot<token>/<method>` and `/file/bot<token>/<path>`, answered the way Telegram's server does. */

type Params = { token: string; method: string };

const checkToken = (practice: Practice, token: string): void => {
  if (!/^\d+:[\w-]+$/.test(token)) throw new Refusal(404, 'Not Found');
  if (token !== practice.token) throw new Refusal(401, 'Unauthorized');
};

const asRefusal = (practice: Practice, error: unknown): Refusal => {
  if (error instanceof Refusal) return error;
  practice.log.error({ err: error }, 'a call of the Bot API failed');
  return new Refusal(500, 'Internal Server Error');
};

const run = async (method: Method, call: Call, params: Record<string, unknown>): Promise<unknown> => {
  const parsed = method.params.safeParse(params) as z.ZodSafeParseResult<never>;
  if (!parsed.success) throw badRequest(parsed.error.issues[0]!.message);
  return method.run(call, parsed.data);
};

type Outcome = { result: unknown } | { refusal: Refusal };

const settle = async (practice: Practice, work: () => Promise<unknown>): Promise<Outcome> => {
  try {
    return { result: await work() };
  } catch (error) {
    return { refusal: asRefusal(practice, error) };
  }
};

/** The connection of a call that is never answered is held until the other side gives up. */
const leaveUnanswered = (fault: Fault, reply: FastifyReply): void => {
  reply.hijack();
  if (fault.kind === 'drop') reply.raw.destroy();
};

export const registerBotApi = (app: FastifyInstance, practice: Practice, presence: Presence): void => {
  const { log, faults, calls } = practice;

  const answerCall = async (request: FastifyRequest<{ Params: Params }>, reply: FastifyReply) => {
    const at = Date.now();
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    checkToken(practice, request.params.token);
    const { params, uploads } = await readCallBody(request);
    const found = findMethod(request.params.method);
    if (!found) throw new Refusal(404, 'Not Found: method not found');
    const { methodName, method } = found;
    const chatId = integer.safeParse(params.chat_id).data;
    const note = (outcome: Omit<Parameters<typeof calls.add>[0], 'at' | 'method' | 'chatId'>) => {
      calls.add({ at, method: methodName, chatId, ...outcome });
      log.debug({ method: methodName, chatId, ...outcome }, 'call');
    };

    const work = () => run(method, { practice, uploads, signal: gone.signal }, params);
    const fault = faults.strike(methodName, chatId);
    const done = !fault || fault.done;
    const outcome = done
      ? await settle(practice, methodName === 'getUpdates' ? () => presence.during(work) : work)
      : undefined;
    if (fault) {
      const refusal = faultRefusal(fault);
      if (!refusal) {
        note({ status: fault.kind === 'drop' ? 'dropped' : 'silent', fault: fault.id });
        return leaveUnanswered(fault, reply);
      }
      note({ status: 'refused', code: refusal.code, description: refusal.message, fault: fault.id });
      throw refusal;
    }
    if (outcome && 'refusal' in outcome) {
      note({ status: 'refused', code: outcome.refusal.code, description: outcome.refusal.message });
      throw outcome.refusal;
    }
    note({ status: 'ok' });
    return reply.send({ ok: true, result: outcome?.result });
  };

  const sendFile = async (
    request: FastifyRequest<{ Params: { token: string; '*': string } }>,
    reply: FastifyReply,
  ) => {
    checkToken(practice, request.params.token);
    const fileId = request.params['*'].split('/').at(-1) ?? '';
    const file = practice.files.find(fileId);
    const bytes = practice.files.read(fileId);
    if (!file || !bytes) throw new Refusal(404, 'Not Found');
    return reply.type(file.mimeType).send(bytes);
  };

  app.register(async (api) => {
    api.setErrorHandler((error, _request, reply) => {
      const status = (error as { statusCode?: number }).statusCode;
      const refusal =
        status === 413
          ? new Refusal(413, 'Request Entity Too Large')
          : status !== undefined && status < 500
            ? badRequest("can't parse request body")
            : asRefusal(practice, error);
      return reply.code(refusal.code).send(refusalBody(refusal));
    });
    for (const method of ['GET', 'POST'] as const) {
      api.route<{ Params: Params }>({ method, url: '/bot:token/:method', handler: answerCall });
    }
    api.get<{ Params: { token: string; '*': string } }>('/file/bot:token/*', sendFile);
  });
};
