import { setTimeout as pause } from 'node:timers/promises';
import { TelegramError } from 'telegraf';
import type { Update } from 'telegraf/types';
import { sideEffect } from '../../../shared/failpoint.ts';
import type { Log } from '../../../shared/log.ts';
import { type Api, isTokenRefused, TokenRefusedError } from './client.ts';
import { readRefusal } from './refusals.ts';

/**
 * Our own loop over getUpdates: telegraf's stops at the first handler that throws, and confirms the whole batch with
 * it. Here an update is confirmed, by the next offset, once `handle` has stored it, and never before.
 */

type Options = {
  api: Api;
  allowedUpdates: readonly string[];
  /** Resolves when the update is stored. Rejects when that is not possible now: then the same one comes again. */
  handle: (update: Update) => Promise<void>;
  /** Hears of updates that cannot be stored now, all that are known: nobody behind the first is served either. */
  onPutOff?: (updates: readonly Update[], error: unknown) => void;
  log: Log;
  signal: AbortSignal;
  /** Milliseconds. */
  atWorkAfter?: number;
};

const isWebhook = (description: string): boolean => /webhook/i.test(description);

/** Somebody else takes the updates of this bot. */
export class ConflictError extends Error {
  override name = 'ConflictError';

  constructor(description: string) {
    super(
      isWebhook(description)
        ? 'A webhook takes the updates of this TELEGRAM_BOT_TOKEN. Stop what set it and call deleteWebhook, or take a token of its own from @BotFather.'
        : 'Another process polls Telegram with this TELEGRAM_BOT_TOKEN. Stop that one, or take a token of its own from @BotFather.',
    );
  }
}

/** Seconds that Telegram holds a request while there is nothing new. */
const pollSeconds = 30;
const longestPause = 10_000;
/** A bot that has polled for so long is the one at work, where another begins; for so long it insists. */
const usuallyAtWorkAfter = 60_000;
const stubborn = 120_000;
const conflictIsNew = 60_000;
const firstConflictPause = 100;
const longestConflictPause = 5_000;

const isAborted = (signal: AbortSignal): boolean => signal.aborted;

/** Runs until the signal aborts. Throws ConflictError or TokenRefusedError. */
const run = async ({
  api,
  allowedUpdates,
  handle,
  onPutOff = () => undefined,
  atWorkAfter = usuallyAtWorkAfter,
  log,
  signal,
}: Options): Promise<void> => {
  let offset = 0;
  let failures = 0;
  let putOff = 0;
  let firstPoll: number | null = null;
  let conflictSince = 0;
  let conflictAt = Number.NEGATIVE_INFINITY;
  let conflicts = 0;

  const fetchUpdates = (): Promise<Update[]> =>
    api.call(
      'getUpdates',
      { offset, timeout: pollSeconds, limit: 100, allowed_updates: allowedUpdates },
      { deadline: (pollSeconds + 10) * 1_000, signal },
    );

  /** True once it is stored; else the same update comes again, in a batch that also holds what was sent since. */
  const store = async (update: Update, batch: readonly Update[]): Promise<boolean> => {
    try {
      await sideEffect('bot: store an update', () => handle(update));
      putOff = 0;
      return true;
    } catch (err) {
      log.error(
        { err, updateId: update.update_id, attempt: putOff },
        'an update could not be stored; it is tried again',
      );
      onPutOff(batch, err);
      await wait(Math.min(200 * 2 ** putOff, longestPause));
      putOff += 1;
      return false;
    }
  };

  const wait = (ms: number): Promise<void> =>
    pause(ms, undefined, { signal }).catch((error) => {
      if (!isAborted(signal)) throw error;
    });

  /**
   * The newer of two pollers wins with Telegram, the older one gets the conflict: so that a second bot, started by mistake,
   * does not end the one at work, that one polls again, at once. The second one gets the conflict then, and ends.
   */
  const outlast = async (description: string): Promise<void> => {
    const now = performance.now();
    if (now - conflictAt > conflictIsNew) conflictSince = now;
    conflictAt = now;
    const isAtWork = firstPoll !== null && conflictSince - firstPoll >= atWorkAfter;
    if (!isAtWork || isWebhook(description) || now - conflictSince > stubborn)
      throw new ConflictError(description);
    conflicts = now === conflictSince ? 0 : conflicts + 1;
    log.warn({ conflicts }, 'another process polls with this token; polling on, as this one was there first');
    await wait(Math.min(firstConflictPause * 2 ** conflicts, longestConflictPause));
  };

  const recover = async (error: unknown): Promise<void> => {
    if (error instanceof TelegramError && error.code === 409) return outlast(error.description);
    if (isTokenRefused(error)) throw new TokenRefusedError();
    const refusal = readRefusal(error);
    failures += 1;
    if (failures === 1) log.warn({ refusal }, 'Telegram does not answer; trying on');
    const delay = Math.min(250 * 2 ** failures, longestPause);
    await wait(refusal.kind === 'too-many' ? refusal.retryAfter : delay);
  };

  while (!isAborted(signal)) {
    let updates: Update[];
    try {
      updates = await fetchUpdates();
      firstPoll ??= performance.now();
      if (failures > 0) log.info('Telegram answers again');
      failures = 0;
    } catch (error) {
      if (isAborted(signal)) return;
      await recover(error);
      continue;
    }
    // Without its number one can neither be stored nor confirmed; those that come after it can.
    const numbered = updates.filter((update) => Number.isSafeInteger(update?.update_id));
    if (numbered.length < updates.length) log.error('an update without a number is left out');
    for (const [index, update] of numbered.entries()) {
      if (!(await store(update, numbered.slice(index)))) break;
      if (isAborted(signal)) return;
      offset = update.update_id + 1;
    }
  }
};

/** Starts the loop. `ended` settles with it; after an abort within moments. */
export const startPoller = (options: Options): { ended: Promise<void> } => ({ ended: run(options) });
