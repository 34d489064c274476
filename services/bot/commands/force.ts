import { z } from 'zod';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { findNames } from '../names.ts';
import { orderVms, showBatch } from '../orders.ts';
import { findVms, findVmsByOwner } from '../queries.ts';
import type { VmRow } from '../store/schema.ts';
import { confirmationLifetime } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { targetHasNoVm, targetMissing, targetRunsNothing, targetUnknown } from '../texts/orders.ts';
import { noteTooLong } from '../texts/refusals.ts';
import { defineCommand } from './command.ts';
import { requireOnePerson } from './one-person.ts';

/** An administrator's hand on other people's VMs. */

const longestNote = 300;

/** Whose VMs, and why. */
const targetAndNote = z
  .string()
  .min(1, targetMissing)
  .transform((text) => {
    const [, target = '', note = ''] = /^(\S+)(?:\s+([\s\S]*))?$/.exec(text) ?? [];
    return { target, note: note.trim() === '' ? null : note.trim() };
  })
  .refine(({ note }) => (note ?? '').length <= longestNote, noteTooLong(longestNote));

type Aim = { target: number | null; vms: VmRow[] };

const aimAt = async (conversation: Conversation, text: string): Promise<Aim> => {
  const { trx } = conversation;
  if (text.toLowerCase() === 'all') return { target: null, vms: await findVms(trx) };
  const target = await requireOnePerson(conversation, text, targetUnknown(text));
  return { target, vms: await findVmsByOwner(trx, target) };
};

const nameTarget = async ({ trx }: Conversation, target: number | null) =>
  target === null ? null : (await findNames(trx))(target);

export const forceStop = defineCommand({
  name: 'force_stop',
  ...commandTexts.forceStop,
  access: 'administrator',
  arguments: targetAndNote,
  async run(conversation, { target: text, note }) {
    const { person } = conversation;
    const { target, vms } = await aimAt(conversation, text);
    const up = vms.filter(
      ({ status, paused }) => ['running', 'creating', 'starting'].includes(status) || paused === 1,
    );
    if (up.length === 0) {
      await conversation.reply(plain(targetRunsNothing(await nameTarget(conversation, target))));
      return;
    }
    const batchId = conversation.newId();
    await orderVms(conversation, 'stop', up, { reason: 'administrator', by: person.id, note, batchId });
    const left = up.filter(({ paused }) => paused === 1).length;
    await showBatch(conversation, { batchId, what: 'force-stop', target, left }, [person.id]);
  },
});

export const forceDestroy = defineCommand({
  name: 'force_destroy',
  ...commandTexts.forceDestroy,
  access: 'administrator',
  arguments: targetAndNote,
  async run(conversation, { target: text, note }) {
    const { target, vms } = await aimAt(conversation, text);
    const there = vms.filter(({ status }) => status !== 'destroying');
    if (there.length === 0) {
      await conversation.reply(plain(targetHasNoVm(await nameTarget(conversation, target))));
      return;
    }
    await conversation.show({
      kind: 'confirm-force-destroy',
      question: conversation.updateId,
      target,
      vmIds: there.map(({ vm_id }) => vm_id),
      note,
      expiresAt: conversation.now.getTime() + confirmationLifetime,
    });
  },
});
