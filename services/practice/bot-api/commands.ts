import { z } from 'zod';
import type { Practice } from '../practice.ts';
import { badRequest } from '../refusal.ts';
import type { Chat, CommandList, CommandScope, Person } from '../state/model.ts';
import { findMetChat } from './access.ts';
import { defineMethod } from './method.ts';
import { chatId, integer, json, text } from './parameters.ts';

/** The command menu: a list per scope and language; a person sees the narrowest one that is set. */

const scope = json(
  z.looseObject({
    type: z.enum(
      [
        'default',
        'all_private_chats',
        'all_group_chats',
        'all_chat_administrators',
        'chat',
        'chat_administrators',
        'chat_member',
      ],
      { error: "can't parse BotCommandScope: Unsupported type specified" },
    ),
    chat_id: chatId.optional(),
    user_id: integer.optional(),
  }),
).default({ type: 'default' });

const place = { scope, language_code: text.default('') };

const readScope = (practice: Practice, { type, chat_id, user_id }: z.output<typeof scope>): CommandScope => {
  if (!type.startsWith('chat')) return { type };
  if (chat_id === undefined) throw badRequest('can\'t parse BotCommandScope: Can\'t find field "chat_id"');
  const chat = findMetChat(practice, chat_id);
  if (type !== 'chat' && chat.type === 'private') throw badRequest("can't change commands in private chats");
  return { type, chat_id: chat.id, user_id: type === 'chat_member' ? user_id : undefined };
};

const command = z.object({
  command: text
    .transform((name) => name.replace(/^\//, ''))
    .refine((name) => /^[a-z0-9_]{1,32}$/.test(name), 'BOT_COMMAND_INVALID'),
  description: text
    .transform((description) => description.trim())
    .refine(
      (description) => description.length >= 1 && description.length <= 256,
      'BOT_COMMAND_DESCRIPTION_INVALID',
    ),
});

export const setMyCommands = defineMethod(
  z.object({ ...place, commands: json(z.array(command, { error: "can't parse commands list" })) }),
  ({ practice }, { scope, language_code, commands }) => {
    if (commands.length > 100) throw badRequest('BOT_COMMANDS_TOO_MUCH');
    practice.world.setCommands({ scope: readScope(practice, scope), languageCode: language_code, commands });
    practice.events.emit({ type: 'commands' });
    practice.changed();
    return true;
  },
);

export const getMyCommands = defineMethod(
  z.object(place),
  ({ practice }, { scope, language_code }) =>
    practice.world.commands(readScope(practice, scope), language_code)?.commands ?? [],
);

export const deleteMyCommands = defineMethod(z.object(place), ({ practice }, { scope, language_code }) => {
  practice.world.setCommands({
    scope: readScope(practice, scope),
    languageCode: language_code,
    commands: [],
  });
  practice.events.emit({ type: 'commands' });
  practice.changed();
  return true;
});

const scopesFor = (chat: Chat, person: Person): CommandScope[] => {
  if (chat.type === 'private') {
    return [{ type: 'chat', chat_id: chat.id }, { type: 'all_private_chats' }, { type: 'default' }];
  }
  const administrator = chat.administratorIds.includes(person.id);
  return [
    { type: 'chat_member', chat_id: chat.id, user_id: person.id },
    ...(administrator ? [{ type: 'chat_administrators', chat_id: chat.id } as const] : []),
    { type: 'chat', chat_id: chat.id },
    ...(administrator ? [{ type: 'all_chat_administrators' } as const] : []),
    { type: 'all_group_chats' },
    { type: 'default' },
  ];
};

/** What the menu shows this person in this chat. */
export const commandsFor = (practice: Practice, chat: Chat, person: Person): CommandList['commands'] => {
  for (const scope of scopesFor(chat, person)) {
    const list = practice.world.commands(scope, person.languageCode) ?? practice.world.commands(scope, '');
    if (list) return list.commands;
  }
  return [];
};
