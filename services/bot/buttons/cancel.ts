import { requestCancel } from '../commands/cancel.ts';
import { findOperation } from '../queries.ts';
import { cancelRequested } from '../texts/general.ts';
import { alreadyEnded, buttonNotYours } from '../texts/refusals.ts';
import type { ButtonAction } from './button.ts';

export const cancelOperation: ButtonAction = {
  action: 'cancel',
  access: 'user',
  async run(conversation, [operationId = '']) {
    const operation = await findOperation(conversation.trx, operationId);
    if (operation !== undefined && operation.owner !== conversation.person.id) {
      conversation.toast(buttonNotYours, true);
      return;
    }
    if (operation === undefined || operation.status !== 'open') {
      conversation.toast(alreadyEnded, true);
      return;
    }
    if (await requestCancel(conversation, operation)) conversation.toast(cancelRequested);
  },
};
