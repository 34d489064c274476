import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { mayUse } from '../people.ts';
import { findVmsByOwner, limitsFor } from '../queries.ts';
import { askAccessButton, createButton, statusOfEach } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { asking, removed, stranger, welcome } from '../texts/general.ts';
import { anyText, type Command, defineCommand } from './command.ts';

/** Somebody who is not on the list learns that, their id, and how to ask. */
export const answerOutsider = async (conversation: Conversation): Promise<void> => {
  const { person } = conversation;
  if (person.role === 'asking') await conversation.reply(plain(asking(person.id)));
  else {
    const words = person.role === 'removed' ? removed(person.id) : stranger(person.id);
    await conversation.reply(plain(words, [[askAccessButton]]));
  }
};

/** Who you are here and what you can do, for `/start`, `/help` and the help button. */
export const showHelp =
  (commands: () => readonly Command[]) =>
  async (conversation: Conversation): Promise<void> => {
    const { trx, person } = conversation;
    if (!mayUse(person.role, 'user')) {
      await answerOutsider(conversation);
      return;
    }
    const vms = await findVmsByOwner(trx, person.id);
    const { limits, plan, maxVms } = await limitsFor(trx, person.id);
    await conversation.reply(
      plain(
        welcome({
          firstName: person.firstName,
          isAdministrator: person.role === 'administrator',
          plan,
          limits,
          maxVms,
          vms,
          commands: commands().filter(({ access }) => mayUse(person.role, access)),
        }),
        vms.length === 0 ? [[createButton]] : statusOfEach(vms.slice(0, 4)),
      ),
    );
  };

const anything = { access: 'anybody' as const };

export const helpCommands = (commands: () => readonly Command[]): Command[] => [
  defineCommand({
    ...anything,
    name: 'start',
    ...commandTexts.start,
    // Telegram itself puts a payload behind /start when somebody follows a link.
    arguments: anyText,
    run: showHelp(commands),
  }),
  defineCommand({
    ...anything,
    name: 'help',
    ...commandTexts.help,
    arguments: anyText,
    run: showHelp(commands),
  }),
];
