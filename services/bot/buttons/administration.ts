import { auditContent, historyContent } from '../commands/history.ts';
import { changePassword } from '../commands/password.ts';
import { spreadKeys } from '../commands/ssh-key.ts';
import { plain } from '../format/rich-text.ts';
import { orderVms, showBatch } from '../orders.ts';
import { findSshKeys, findVm, findVms } from '../queries.ts';
import { sshKeyGone } from '../texts/keys.ts';
import { beingDestroyedAlready, forceDestroyConfirmed, forceDestroyDropped } from '../texts/orders.ts';
import { buttonNotYours, buttonUnknown } from '../texts/refusals.ts';
import { readUserId } from '../user-id.ts';
import { findAsked } from './asked.ts';
import { type ButtonAction, pressedVm } from './button.ts';

/** Pages that turn, keys and passwords, and what administrators confirm. */

export const vmList: ButtonAction = {
  action: 'vm-list',
  access: 'administrator',
  run: (conversation, [page]) => conversation.replaceView({ kind: 'vm-list', page: Number(page) || 0 }),
};

export const people: ButtonAction = {
  action: 'people',
  access: 'administrator',
  run: (conversation, [page]) => conversation.replaceView({ kind: 'people', page: Number(page) || 0 }),
};

const readPosition = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

export const olderHistory: ButtonAction = {
  action: 'history',
  access: 'user',
  async run(conversation, [vmId = '', position]) {
    const before = readPosition(position);
    const vm = vmId === '' ? null : await findVm(conversation.trx, vmId);
    if (before === undefined || vm === undefined) conversation.toast(buttonUnknown, true);
    else if (vm !== null && vm.owner !== conversation.person.id) conversation.toast(buttonNotYours, true);
    else await conversation.replace(await historyContent(conversation, vm, before));
  },
};

export const olderAudit: ButtonAction = {
  action: 'audit',
  access: 'administrator',
  async run(conversation, [user = '', position]) {
    const before = readPosition(position);
    const userId = readUserId(user);
    if (before === undefined || (user !== '' && userId === null)) conversation.toast(buttonUnknown, true);
    else await conversation.replace(await auditContent(conversation, userId, before));
  },
};

export const newPassword: ButtonAction = {
  action: 'password',
  access: 'user',
  async run(conversation, args) {
    const vm = await pressedVm(conversation, args);
    if (vm !== undefined) await changePassword(conversation, vm);
  },
};

export const removeKey: ButtonAction = {
  action: 'remove-key',
  access: 'user',
  async run(conversation, [mark = '']) {
    const { trx, person, now } = conversation;
    const keys = await findSshKeys(trx, person.id);
    const key = keys.find(({ fingerprint }) => mark.length >= 20 && fingerprint.startsWith(`SHA256:${mark}`));
    if (key === undefined) {
      conversation.toast(sshKeyGone, true);
      return;
    }
    const { fingerprint, type, bits, comment, line } = key;
    await conversation.handleUser(person.id, {
      type: 'RemoveSshKey',
      data: { userId: person.id, fingerprint, at: now.toISOString() },
    });
    await spreadKeys(conversation, 'removed', { fingerprint, type, bits, comment, line });
  },
};

export const confirmForceDestroy: ButtonAction = {
  action: 'force-destroy',
  access: 'administrator',
  async run(conversation, [question = '']) {
    const { trx, person } = conversation;
    const asked = await findAsked(conversation, question, 'confirm-force-destroy');
    if (asked === undefined) return;
    const { target, note, vmIds } = asked;
    const vms = (await findVms(trx)).filter(
      ({ vm_id, status }) => vmIds.includes(vm_id) && status !== 'destroying',
    );
    if (vms.length === 0) {
      await conversation.replace(plain(beingDestroyedAlready));
      return;
    }
    const batchId = conversation.newId();
    await conversation.replace(plain(forceDestroyConfirmed));
    await orderVms(conversation, 'destroy', vms, { reason: 'administrator', by: person.id, note, batchId });
    await showBatch(conversation, { batchId, what: 'force-destroy', target }, [person.id]);
  },
};

export const dropForceDestroy: ButtonAction = {
  action: 'force-destroy-drop',
  access: 'administrator',
  run: (conversation) => conversation.replace(plain(forceDestroyDropped)),
};
