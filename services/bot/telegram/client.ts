import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Telegram, TelegramError } from 'telegraf';
import { withDeadline } from '../../../shared/lifecycle.ts';

/** Telegraf's API client with what it lacks: a deadline for every call. */

export type Api = {
  /** Calls a method. Throws TelegramError for a refusal, DeadlineError after `deadline` milliseconds. */
  call<T>(method: string, payload: Record<string, unknown>, options?: CallOptions): Promise<T>;
  close(): void;
};

export type CallOptions = { deadline?: number; signal?: AbortSignal };

const usualDeadline = 15_000;

export const createApi = ({ token, apiRoot }: { token: string; apiRoot: string }): Api => {
  const options = { keepAlive: true, maxSockets: 64 };
  const agent = apiRoot.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options);
  const telegram = new Telegram(token, { apiRoot, agent, webhookReply: false });
  return {
    async call<T>(
      method: string,
      payload: Record<string, unknown>,
      { deadline = usualDeadline, signal }: CallOptions = {},
    ) {
      const ended = new AbortController();
      const both = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
      try {
        const answer = telegram.callApi(method as never, payload as never, { signal: both as never });
        return (await withDeadline(answer, deadline, method)) as T;
      } finally {
        ended.abort(); // a call that is given up gives its connection back
      }
    },
    close: () => agent.destroy(),
  };
};

/** Who this bot is. Throws an error for a person when the token is not accepted. */
export const identifyBot = async (api: Api): Promise<{ id: number; username: string }> => {
  try {
    return await api.call('getMe', {});
  } catch (error) {
    if (error instanceof TelegramError && (error.code === 401 || error.code === 404)) {
      throw new Error('Telegram does not know this TELEGRAM_BOT_TOKEN. Ask @BotFather for the right one.');
    }
    throw error;
  }
};
