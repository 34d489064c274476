import type { Update } from 'telegraf/types';
import type { Log } from '../../shared/log.ts';
import type { FmtString } from './format/rich-text.ts';
import { interpret } from './interpret.ts';
import { isStorageFault } from './store/faults.ts';
import type { Api } from './telegram/client.ts';
import { storageBack, storageOut, storageOutForAdministrators } from './texts/outages.ts';

/**
 * The database cannot be written, so that nothing can be accepted and no message prepared: those who wrote and the
 * administrators are told past it, straight through Telegram, each once for an outage. Nothing of this survives a restart.
 */

type Dependencies = {
  api: Pick<Api, 'call'>;
  botUsername: string;
  administrators: readonly number[];
  log: Log;
};

/** Milliseconds for a message to be taken; and between two outages that are told to the same person. */
const deadline = 5_000;
const quiet = 60_000;

const isFull = (error: unknown): boolean =>
  /^SQLITE_(FULL|IOERR)/.test((error as { code?: string }).code ?? '');

export const createStorageOutage = ({ api, botUsername, administrators, log }: Dependencies) => {
  /** Who has been told of the present outage. */
  const told = new Set<number>();
  const lastToldAt = new Map<number, number>();
  let isOut = false;

  const send = (chatId: number, { text }: FmtString): void => {
    api
      .call('sendMessage', { chat_id: chatId, text }, { deadline })
      .catch((err) => log.info({ err }, 'an outage of the storage could not be told'));
  };
  const tellOnce = (chatId: number, words: FmtString): void => {
    if (told.has(chatId)) return;
    told.add(chatId);
    const before = lastToldAt.get(chatId);
    if (before !== undefined && performance.now() - before < quiet) return;
    lastToldAt.set(chatId, performance.now());
    send(chatId, words);
  };
  /** Who wrote or pressed something in a chat of their own. */
  const senderOf = (update: Update): number | null => {
    const incoming = interpret(update, botUsername);
    return 'from' in incoming && incoming.chat?.isPrivate !== false ? incoming.from.id : null;
  };

  return {
    /** Updates that could not be stored. */
    onPutOff(updates: readonly Update[], error: unknown): void {
      if (!isStorageFault(error)) return;
      isOut = true;
      for (const chatId of administrators) tellOnce(chatId, storageOutForAdministrators(isFull(error)));
      for (const update of updates) {
        const chatId = senderOf(update);
        if (chatId !== null) tellOnce(chatId, storageOut(isFull(error)));
      }
    },
    /** Something was stored. */
    passed(): void {
      if (!isOut) return;
      isOut = false;
      for (const chatId of administrators) if (told.has(chatId)) send(chatId, storageBack);
      told.clear();
    },
  };
};
