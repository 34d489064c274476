import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../../shared/log.ts';
import { type Api, identifyBot, TokenRefusedError } from './client.ts';
import { readRefusal } from './refusals.ts';

/** Milliseconds. A host may have booted before its network. */
const longestPause = 10_000;

/** Who this bot is, as soon as Telegram answers. Throws TokenRefusedError, or the signal's reason at its abort. */
export const identifyPatiently = async (api: Api, log: Log, signal: AbortSignal) => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await identifyBot(api);
    } catch (error) {
      if (error instanceof TokenRefusedError) throw error;
      if (attempt === 0)
        log.warn({ refusal: readRefusal(error) }, 'Telegram does not answer; waiting for it');
      await pause(Math.min(250 * 2 ** attempt, longestPause), undefined, { signal });
    }
  }
};
