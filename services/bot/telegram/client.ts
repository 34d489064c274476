import { Agent } from 'node:https';
import { Telegram, TelegramError } from 'telegraf';
import { sideEffect } from '../../../shared/failpoint.ts';
import { withDeadline } from '../../../shared/lifecycle.ts';

/** Telegraf's API client with what it lacks: a deadline for every call, and an end. */

export type Api = {
  /** Calls a method. Throws TelegramError for a refusal, DeadlineError after `deadline` milliseconds. */
  call<T>(method: string, payload: Record<string, unknown>, options?: CallOptions): Promise<T>;
  /** Gives up every call on its way. */
  close(): void;
};

export type CallOptions = { deadline?: number; signal?: AbortSignal };

/** Telegram does not know the token, or not any more. */
export class TokenRefusedError extends Error {
  override name = 'TokenRefusedError';

  constructor() {
    super('Telegram does not know this TELEGRAM_BOT_TOKEN. Ask @BotFather for the right one.');
  }
}

export const isTokenRefused = (error: unknown): boolean =>
  error instanceof TelegramError && (error.code === 401 || error.code === 404);

type ApiOptions = {
  token: string;
  apiRoot: string;
  /** Milliseconds, where a call names none of its own. */
  usualDeadline?: number;
};

/** A connection that lies idle longer may be forgotten by a router on the way, and swallow the next call. */
const idleConnections = { keepAlive: true, maxSockets: 64, timeout: 50_000 };

export const createApi = ({ token, apiRoot, usualDeadline = 15_000 }: ApiOptions): Api => {
  // For http: telegraf insists on Node's own agent, which keeps connections too.
  const agent = apiRoot.startsWith('https:') ? new Agent(idleConnections) : undefined;
  const telegram = new Telegram(token, { apiRoot, webhookReply: false, ...(agent && { agent }) });
  const closed = new AbortController();
  return {
    async call<T>(
      method: string,
      payload: Record<string, unknown>,
      { deadline = usualDeadline, signal }: CallOptions = {},
    ) {
      const ended = new AbortController();
      const anyEnd = [ended.signal, closed.signal, ...(signal === undefined ? [] : [signal])];
      try {
        const answer = sideEffect(`telegram: ${method}`, () =>
          telegram.callApi(method as never, payload as never, {
            signal: AbortSignal.any(anyEnd) as never,
          }),
        );
        return (await withDeadline(answer, deadline, method)) as T;
      } finally {
        ended.abort(); // a call that is given up gives its connection back
      }
    },
    close: () => {
      closed.abort();
      agent?.destroy();
    },
  };
};

/** Who this bot is. Throws TokenRefusedError, and as it is whatever keeps Telegram from answering. */
export const identifyBot = async (api: Api): Promise<{ id: number; username: string }> => {
  try {
    return await api.call('getMe', {});
  } catch (error) {
    throw isTokenRefused(error) ? new TokenRefusedError() : error;
  }
};
