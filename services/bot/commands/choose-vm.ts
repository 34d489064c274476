import type { Conversation } from '../conversation.ts';
import type { Button } from '../format/rich-text.ts';
import { plain } from '../format/rich-text.ts';
import { findVmsByOwner } from '../queries.ts';
import type { VmRow } from '../store/schema.ts';
import { createButton } from '../texts/buttons.ts';
import { whichVm } from '../texts/general.ts';
import { noVm, noVmCalled, type VmVerb } from '../texts/refusals.ts';

/**
 * Finds the VM a command is about. With one VM nobody types its name; with several, a command without a name
 * is answered with a button for each of `candidates`. Undefined: the person has been answered.
 */
export const chooseVm = async (
  conversation: Conversation,
  name: string | undefined,
  question: { verb: VmVerb; button: (vm: VmRow, label: string) => Button; suits: (vm: VmRow) => boolean },
): Promise<VmRow | undefined> => {
  const vms = await findVmsByOwner(conversation.trx, conversation.person.id);
  if (name !== undefined) {
    // While one of that name is being removed there may be a newer one.
    const named = vms.findLast((vm) => vm.name === name);
    if (named === undefined)
      await conversation.reply(
        plain(
          noVmCalled(
            name,
            vms.map((vm) => vm.name),
          ),
        ),
      );
    return named;
  }
  if (vms.length === 0) {
    await conversation.reply(plain(noVm, [[createButton]]));
    return undefined;
  }
  const suitable = vms.filter(question.suits);
  if (vms.length === 1 || suitable.length === 1) return suitable[0] ?? vms[0];
  const offered = suitable.length > 0 ? suitable : vms;
  await conversation.reply(
    plain(
      whichVm(question.verb),
      offered.map((vm) => [question.button(vm, vm.name)]),
    ),
  );
  return undefined;
};
