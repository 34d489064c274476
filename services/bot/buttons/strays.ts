import { plain } from '../format/rich-text.ts';
import { findVm } from '../queries.ts';
import type { StrayRow } from '../store/schema.ts';
import { findStrays, groupStrays, mayGo } from '../strays.ts';
import { confirmationLifetime } from '../texts/buttons.ts';
import { strayRemovalConfirmed, straysGoneAlready, straysKept } from '../texts/strays.ts';
import { findAsked } from './asked.ts';
import type { ButtonAction } from './button.ts';

/** What no VM accounts for: shown, and removed where an administrator says so twice. */

export const showStrays: ButtonAction = {
  action: 'strays',
  access: 'administrator',
  async run(conversation) {
    await conversation.show({ kind: 'strays', position: null });
  },
};

export const removeStray: ButtonAction = {
  action: 'stray',
  access: 'administrator',
  async run(conversation, [mark = '']) {
    const groups = groupStrays(await findStrays(conversation.trx));
    const wanted = mark === 'all' ? groups : groups.filter((group) => group.mark === mark);
    const rows = wanted.flatMap(({ rows }) => rows).filter(mayGo);
    if (rows.length === 0) {
      await conversation.reply(plain(straysGoneAlready));
      return;
    }
    await conversation.show({
      kind: 'confirm-remove-strays',
      question: conversation.updateId,
      strays: rows.map(({ host, key }) => ({ host, key })),
      expiresAt: conversation.now.getTime() + confirmationLifetime,
    });
  },
};

export const confirmRemoveStrays: ButtonAction = {
  action: 'strays-remove',
  access: 'administrator',
  async run(conversation, [question = '']) {
    const { trx, person, now } = conversation;
    const asked = await findAsked(conversation, question, 'confirm-remove-strays');
    if (asked === undefined) return;
    const isAsked = ({ host, key }: StrayRow) =>
      asked.strays.some((stray) => stray.host === host && stray.key === key);
    const rows: StrayRow[] = [];
    for (const row of (await findStrays(trx)).filter(mayGo).filter(isAsked)) {
      const known = row.reason === 'unknown-vm' ? await findVm(trx, row.vm_id ?? '') : undefined;
      if (known === undefined) rows.push(row);
    }
    if (rows.length === 0) {
      await conversation.replace(plain(straysGoneAlready));
      return;
    }
    await conversation.replace(plain(strayRemovalConfirmed));
    for (const [host, ofHost] of Map.groupBy(rows, (row) => row.host)) {
      await conversation.handleStrays(host, {
        type: 'RequestStrayRemoval',
        data: {
          operationId: conversation.newId(),
          host,
          keys: ofHost.map(({ key }) => key),
          by: person.id,
          at: now.toISOString(),
        },
      });
    }
  },
};

export const keepStrays: ButtonAction = {
  action: 'strays-keep',
  access: 'administrator',
  run: (conversation) => conversation.replace(plain(straysKept)),
};
