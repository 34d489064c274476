import type { Update } from 'telegraf/types';
import type { Log } from '../../shared/log.ts';
import type { Vault } from '../../shared/secrets/vault.ts';
import { findAction } from './buttons/index.ts';
import { decodeCallback } from './callback-data.ts';
import { closestName } from './commands/closest.ts';
import { type Command, readArguments, UsageError } from './commands/command.ts';
import { answerOutsider } from './commands/help.ts';
import { commands, findCommand } from './commands/index.ts';
import {
  type Aftermath,
  type BotConfig,
  type Conversation,
  createConversation,
  type Toast,
} from './conversation.ts';
import { plain } from './format/rich-text.ts';
import type { KnownHosts } from './hosts.ts';
import { type Incoming, interpret, type Place, type Sender } from './interpret.ts';
import { newId } from './new-id.ts';
import { identify, mayUse, remember } from './people.ts';
import { isStorageFault } from './store/faults.ts';
import type { Store, Trx } from './store/store.ts';
import { post } from './telegram/messages.ts';
import { brokenHere, notACommand, notForYou, onlyInPrivate, unknownCommand, usage } from './texts/general.ts';
import { privateKeySent } from './texts/keys.ts';
import { buttonNotYours, buttonUnknown } from './texts/refusals.ts';

/**
 * One update from Telegram, done exactly once: its id is stored in the transaction of everything it leads to,
 * and a repeat finds it there. Resolves when that is safely stored; rejects only when the storage is out, and then
 * the same update has to be handled again.
 */

export type UpdateHandler = (update: Update) => Promise<void>;

type Dependencies = {
  store: Store;
  vault: Vault;
  config: BotConfig;
  bot: { id: number; username: string };
  hosts: KnownHosts;
  log: Log;
  answerCallback: (queryId: string, toast: Toast | null) => void;
  showTyping: (chatId: number) => void;
  /** Asks the hosts for live figures; the messages with those keys show them when they come. */
  measure: (wanted: Aftermath['measurements'], correlationId: string) => void;
  /** Looks at the hosts anew, or has them try for GPUs; the messages with those keys show what came of it. */
  lookAtHosts: (keys: string[]) => void;
  probeGpu: (keys: string[], correlationId: string) => void;
  closeTerminals: (vmIds: string[]) => void;
  deleteMessage: (message: { chatId: number; messageId: number }) => void;
  /** The person wrote, or let the bot write again; has blocked it. */
  onReachable: (chatId: number) => void;
  onUnreachable: (chatId: number) => void;
  now?: () => Date;
};

type Addressed = Extract<Incoming, { from: Sender }>;

const runCommand = async (conversation: Conversation, command: Command, argument: string): Promise<void> => {
  try {
    await command.run(conversation, readArguments(command, argument));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await conversation.reply(plain(usage(command, error.message)));
  }
};

const answerCommand = async (conversation: Conversation, name: string, argument: string): Promise<void> => {
  const { person } = conversation;
  const command = findCommand(name);
  const usable = commands.filter(({ access }) => mayUse(person.role, access));
  if (!mayUse(person.role, command?.access ?? 'user')) {
    if (mayUse(person.role, 'user')) await conversation.reply(plain(notForYou(name)));
    else await answerOutsider(conversation);
  } else if (command === undefined) {
    const closest = closestName(
      name,
      usable.map((known) => known.name),
    );
    await conversation.reply(plain(unknownCommand(name, closest)));
  } else await runCommand(conversation, command, argument);
};

const answerButton = async (conversation: Conversation, data: string): Promise<void> => {
  const { action, args } = decodeCallback(data);
  const found = findAction(action);
  if (found === undefined) conversation.toast(buttonUnknown, true);
  else if (!mayUse(conversation.person.role, found.access)) conversation.toast(buttonNotYours, true);
  else await found.run(conversation, args);
};

const answer = async (conversation: Conversation, incoming: Addressed): Promise<void> => {
  const { person, chat } = conversation;
  if (incoming.kind === 'private-key') {
    // Whoever sent it, and wherever: it must not lie around.
    conversation.deleteTheirMessage();
    await conversation.reply(plain(privateKeySent));
  } else if (!chat.isPrivate) {
    if (incoming.kind === 'button') conversation.toast(buttonNotYours, true);
    else await conversation.reply(plain(onlyInPrivate));
  } else if (incoming.kind === 'command') await answerCommand(conversation, incoming.name, incoming.argument);
  else if (incoming.kind === 'button') await answerButton(conversation, incoming.data);
  else if (mayUse(person.role, 'user')) await conversation.reply(plain(notACommand));
  else await answerOutsider(conversation);
};

/** True for an update that has not been seen; from then on it has. */
const claimUpdate = async (trx: Trx, botId: number, updateId: number, now: Date): Promise<boolean> => {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('updates')
    .values({ bot_id: botId, update_id: updateId, received_at: now.toISOString() })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
};

export const createUpdateHandler = (dependencies: Dependencies): UpdateHandler => {
  const { store, vault, config, bot, hosts, log, answerCallback, showTyping, measure } = dependencies;
  const { lookAtHosts, probeGpu, closeTerminals, deleteMessage, onReachable, onUnreachable } = dependencies;
  const clock = dependencies.now ?? (() => new Date());

  const converse = async (update: Update, incoming: Addressed, chat: Place, correlationId: string) => {
    const now = clock();
    return store.transaction(async (trx) => {
      if (!(await claimUpdate(trx, bot.id, update.update_id, now))) return null;
      const { conversation, aftermath } = createConversation({
        store,
        trx,
        config,
        vault,
        chat,
        now,
        newId,
        correlationId,
        person: await identify(trx, config, incoming.from),
        updateId: update.update_id,
        hosts,
        pressedMessageId: incoming.kind === 'button' ? incoming.messageId : null,
        sentMessageId: incoming.kind === 'button' ? null : incoming.messageId,
      });
      await remember(trx, incoming.from, now);
      await answer(conversation, incoming);
      return aftermath;
    });
  };

  /** Nothing of the update was done: the chat is told, with an id that finds the cause in the log. */
  const tellOfFault = async (update: Update, chat: Place, errorId: string): Promise<void> => {
    await store.transaction(async (trx) => {
      if (!(await claimUpdate(trx, bot.id, update.update_id, clock()))) return;
      await post(trx, {
        key: `update:${update.update_id}:fault`,
        chatId: chat.id,
        view: { kind: 'content', content: plain(brokenHere(errorId)) },
      });
    });
  };

  const handleAddressed = async (
    update: Update,
    incoming: Addressed,
    correlationId: string,
  ): Promise<void> => {
    // A button under a message that is too old has no chat; it can only be in private.
    const chat = incoming.chat ?? { id: incoming.from.id, isPrivate: true };
    let aftermath: Aftermath | null = null;
    try {
      aftermath = await converse(update, incoming, chat, correlationId);
    } catch (err) {
      if (isStorageFault(err)) throw err;
      log.error({ err, correlationId, updateId: update.update_id }, 'an update could not be handled');
      await tellOfFault(update, chat, correlationId);
    }
    if (incoming.kind === 'button') answerCallback(incoming.queryId, aftermath?.toast ?? null);
    if (aftermath === null) return;
    if (aftermath.deletion !== null) deleteMessage(aftermath.deletion);
    if (aftermath.typing) showTyping(chat.id);
    if (aftermath.measurements.length > 0) measure(aftermath.measurements, correlationId);
    if (aftermath.overviews.length > 0) lookAtHosts(aftermath.overviews);
    if (aftermath.closedTerminals.length > 0) closeTerminals(aftermath.closedTerminals);
    if (aftermath.gpuProbes.length > 0) probeGpu(aftermath.gpuProbes, correlationId);
  };

  return async (update) => {
    const incoming = interpret(update, bot.username);
    const correlationId = newId();
    log.info({ correlationId, updateId: update.update_id, kind: incoming.kind }, 'update');
    switch (incoming.kind) {
      case 'nothing':
        return;
      case 'blocked':
        return onUnreachable(incoming.chat.id);
      case 'unblocked':
        return onReachable(incoming.chat.id);
      default:
        onReachable(incoming.from.id);
        await handleAddressed(update, incoming, correlationId);
    }
  };
};
