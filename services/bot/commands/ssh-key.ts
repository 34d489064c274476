import { IllegalStateError } from '../../../shared/decider.ts';
import { mostSshKeys, type SshKey } from '../../../shared/user/user.ts';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { keysMessageKey } from '../notifications.ts';
import { findSshKeys, findVmsByOwner } from '../queries.ts';
import { readPublicKey } from '../ssh-key.ts';
import { post } from '../telegram/messages.ts';
import { removeKeyButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { keyKind, keyList, keyProblems, sshKeyKnown, tooManySshKeys } from '../texts/keys.ts';
import { anyText, defineCommand, UsageError } from './command.ts';

/** Has the changed keys put in place in every VM of the person's, and shows how far that has got. */
export const spreadKeys = async (
  conversation: Conversation,
  change: 'added' | 'removed',
  { line: _line, ...key }: SshKey,
): Promise<void> => {
  const { trx, person, chat, correlationId, now } = conversation;
  const vms = await findVmsByOwner(trx, person.id);
  const comingUp = vms.filter(({ status }) => status === 'creating' || status === 'starting');
  await post(trx, {
    key: keysMessageKey(correlationId),
    chatId: chat.id,
    view: {
      kind: 'keys',
      change,
      key,
      correlationId,
      comingUp: comingUp.map(({ vm_id }) => vm_id),
      at: now.toISOString(),
    },
  });
  for (const { vm_id: vmId } of vms) {
    const data = { operationId: conversation.newId(), vmId, at: now.toISOString() };
    await conversation.handleVm(vmId, { type: 'UpdateKeys', data });
  }
};

const addKey = async (conversation: Conversation, text: string): Promise<void> => {
  const read = readPublicKey(text);
  if ('problem' in read) throw new UsageError(keyProblems[read.problem]);
  const { person, now } = conversation;
  try {
    await conversation.handleUser(person.id, {
      type: 'AddSshKey',
      data: { userId: person.id, key: read.key, at: now.toISOString() },
    });
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
    const words = error.code === 'ssh-key-known' ? sshKeyKnown : tooManySshKeys(mostSshKeys);
    await conversation.reply(plain(words));
    return;
  }
  await spreadKeys(conversation, 'added', read.key);
};

export const sshKey = defineCommand({
  name: 'ssh_key',
  ...commandTexts.sshKey,
  access: 'user',
  arguments: anyText,
  async run(conversation, text) {
    if (text !== '') {
      await addKey(conversation, text);
      return;
    }
    const keys = await findSshKeys(conversation.trx, conversation.person.id);
    const buttons = keys.map((key) => [
      removeKeyButton(
        key,
        key.comment === '' ? `${keyKind(key)} ${key.fingerprint.slice(7, 15)}` : key.comment,
      ),
    ]);
    await conversation.reply(plain(keyList(keys), buttons));
  },
});
