import { operationMessageKey } from '../../../services/bot/notifications.ts';
import { storageBack, storageOut, storageOutForAdministrators } from '../../../services/bot/texts/outages.ts';
import type { Evidence } from '../evidence.ts';
import type { Finding, Invariant } from './invariant.ts';

/** What an operation's message must hold once it has ended that way. */
const words: Record<string, RegExp> = {
  failed: /❌|not get a new password/,
  cancelled: /✖️/,
  'timed-out': /⌛️|❌/,
};
const stillOpen = /^⏳|^✖️ Cancelling…|\n⏳ /;

export const everyEndIsTold: Invariant = {
  name: 'every end of an operation is told, in the chat that asked',
  check({ stored, chats, refusals }) {
    // What Telegram will not have is put aside.
    let aside = refusals;
    const rows = new Map(stored.messages.map((row) => [row.key, row]));
    return stored.operations.flatMap((operation): Finding[] => {
      const { operation_id: id, status, chat, cause, kind, vm_id } = operation;
      if (chat === null || cause === 'keys' || status === 'open') return [];
      const about = vm_id === null ? {} : { vmId: vm_id };
      const row = rows.get(operationMessageKey(id));
      if (row === undefined) return [{ what: `${kind} ${id} has no message`, ...about }];
      if (row.chat_id !== chat) return [{ what: `${kind} ${id} was told in chat ${row.chat_id}`, ...about }];
      if (row.state === 'undeliverable' && aside-- > 0) return [];
      const message = chats.get(chat)?.find((candidate) => candidate.id === row.message_id);
      if (message === undefined) return [{ what: `${kind} ${id} is in no chat (${row.state})`, ...about }];
      const wanted = words[status];
      const isWrong = stillOpen.test(message.text) || (wanted !== undefined && !wanted.test(message.text));
      return isWrong
        ? [{ what: `${kind} ${id} is ${status}, and the chat says: ${message.text}`, ...about }]
        : [];
    });
  },
};

/** A message may be sent twice where its sender was killed, or Telegram did not answer: one for each chat and time. */
const repeatsAllowed = ({ slots, struck, chats, lostAnswers }: Evidence): number => {
  const deaths = slots
    .filter(({ name }) => name === 'bot')
    .flatMap((slot) => slot.lives())
    .filter(({ end }) => end === 'SIGKILL').length;
  const losses = struck.filter(
    ({ name, strike }) =>
      name === 'telegram: sendMessage' && strike.side === 'after' && strike.act === 'error',
  ).length;
  return deaths * chats.size + losses + lostAnswers;
};

/** What is sent past the database while that cannot be written stands in no table of it. */
const pastTheDatabase = new Set(
  [true, false]
    .flatMap((full) => [storageOut(full), storageOutForAdministrators(full)])
    .concat(storageBack)
    .map(({ text }) => text),
);

export const hardlyAnyRepeat: Invariant = {
  name: 'no message comes twice, but for one whose fate was not known',
  check(evidence) {
    const { stored, chats } = evidence;
    const known = new Set(stored.messages.map(({ chat_id, message_id }) => `${chat_id} ${message_id}`));
    const repeated = [...chats.values()]
      .flat()
      .filter(({ fromBot, kind, chatId, id }) => fromBot && kind === 'text' && !known.has(`${chatId} ${id}`))
      .filter(({ text }) => !pastTheDatabase.has(text));
    const allowed = repeatsAllowed(evidence);
    if (repeated.length <= allowed) return [];
    const shown = repeated
      .map(({ chatId, id, text }) => `  ${chatId} ${id} ${text.split('\n')[0]}`)
      .join('\n');
    return [{ what: `${repeated.length} messages came twice, ${allowed} might have:\n${shown}` }];
  },
};
