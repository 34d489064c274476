import { z } from 'zod';
import type { Conversation } from '../conversation.ts';
import { type Content, plain } from '../format/rich-text.ts';
import { readAudit, readHistory } from '../history.ts';
import { findNames } from '../names.ts';
import { findAllVmsByOwner } from '../queries.ts';
import type { VmRow } from '../store/schema.ts';
import { olderButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { auditTitle, historyPage, historyTitle, userUnknown } from '../texts/history.ts';
import { noVmCalled } from '../texts/refusals.ts';
import { defineCommand, optionalVmName } from './command.ts';
import { requireOnePerson } from './one-person.ts';

/** A page of the person's history; of one VM, or of all they have and had. */
export const historyContent = async (
  { trx, person }: Conversation,
  vm: VmRow | null,
  before?: number,
): Promise<Content> => {
  const vms = vm === null ? await findAllVmsByOwner(trx, person.id) : [vm];
  const page = await readHistory(trx, {
    vmIds: vms.map(({ vm_id }) => vm_id),
    reader: person.id,
    ...(before === undefined ? {} : { before }),
  });
  return plain(
    historyPage(historyTitle(vm?.name ?? null), page.lines, before !== undefined),
    page.before === null ? [] : [[olderButton('history', vm?.vm_id ?? '', page.before)]],
  );
};

export const history = defineCommand({
  name: 'history',
  ...commandTexts.history,
  access: 'user',
  arguments: optionalVmName,
  async run(conversation, name) {
    // Destroyed ones have a history too; of several with one name the newest is meant.
    const vms = await findAllVmsByOwner(conversation.trx, conversation.person.id);
    const vm = name === undefined ? null : vms.findLast((one) => one.name === name);
    const names = [...new Set(vms.map((one) => one.name))];
    await conversation.reply(
      vm === undefined ? plain(noVmCalled(name ?? '', names)) : await historyContent(conversation, vm),
    );
  },
});

/** A page of who did what; of one person, or of everybody. */
export const auditContent = async (
  { trx, person }: Conversation,
  userId: number | null,
  before?: number,
): Promise<Content> => {
  const page = await readAudit(trx, {
    userId,
    reader: person.id,
    ...(before === undefined ? {} : { before }),
  });
  const names = await findNames(trx);
  return plain(
    historyPage(auditTitle(userId === null ? null : names(userId)), page.lines, before !== undefined),
    page.before === null ? [] : [[olderButton('audit', userId ?? '', page.before)]],
  );
};

export const audit = defineCommand({
  name: 'audit',
  ...commandTexts.audit,
  access: 'administrator',
  arguments: z.string(),
  async run(conversation, text) {
    const userId = text === '' ? null : await requireOnePerson(conversation, text, userUnknown(text));
    await conversation.reply(await auditContent(conversation, userId));
  },
});
