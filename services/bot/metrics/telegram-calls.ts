import { Counter, type Registry } from 'prom-client';
import { TelegramError } from 'telegraf';
import { DeadlineError } from '../../../shared/lifecycle.ts';
import type { Api } from '../telegram/client.ts';

/** Calls to Telegram by method and how they ended: `200`, the code of a refusal, or what kept the answer away. */

/** The error carries message texts and the token's URL: nothing but its code leaves this function. */
const statusOf = (error: unknown): string => {
  if (error instanceof TelegramError) return String(error.code);
  if (error instanceof DeadlineError) return 'timeout';
  return (error as { name?: unknown } | null)?.name === 'AbortError' ? 'given-up' : 'no-answer';
};

/** The same API, counted. */
export const countCalls = (registry: Registry, api: Api): Api => {
  const calls = new Counter({
    name: 'berth_telegram_calls_total',
    help: 'Calls to Telegram that ended, by method and status.',
    labelNames: ['method', 'status'],
    registers: [registry],
  });
  return {
    async call<T>(method: string, ...rest: [Record<string, unknown>, Parameters<Api['call']>[2]?]) {
      try {
        const answer = await api.call<T>(method, ...rest);
        calls.inc({ method, status: '200' });
        return answer;
      } catch (error) {
        calls.inc({ method, status: statusOf(error) });
        throw error;
      }
    },
    close: () => api.close(),
  };
};
