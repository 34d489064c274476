import { newPassword } from '../../../shared/secrets/password.ts';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { pickPort } from '../ports.ts';
import { countVmsTowardsLimit, findVmsByOwner, limitsFor } from '../queries.ts';
import { passwordName } from '../sealed-names.ts';
import { vmButtons } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { limitReached, nameTaken, noPortLeft, stillLeaving } from '../texts/refusals.ts';
import { nextVmName } from '../vm-name.ts';
import { defineCommand, optionalVmName } from './command.ts';
import { refuseDuringMaintenance } from './maintenance-rule.ts';

/** Asks for a new VM with the person's plan; the same for the command and for the button. */
export const requestVm = async (conversation: Conversation, wanted: string | undefined): Promise<void> => {
  const { trx, person, config, vault, now } = conversation;
  if (await refuseDuringMaintenance(conversation)) return;
  const all = await findVmsByOwner(trx, person.id);
  // What came to nothing keeps neither its name nor anybody from trying again.
  const vms = all.filter(({ status }) => status !== 'failed');
  const names = vms.map((vm) => vm.name);
  if (wanted !== undefined && names.includes(wanted)) {
    await conversation.reply(
      plain(
        nameTaken(wanted),
        vms.filter((vm) => vm.name === wanted).flatMap((vm) => vmButtons(vm)),
      ),
    );
    return;
  }
  const { limits, plan, maxVms } = await limitsFor(trx, person.id);
  if ((await countVmsTowardsLimit(trx, person.id)) >= maxVms) {
    const leaving = vms.filter(({ status }) => status === 'destroying').map(({ name }) => name);
    const buttons = vms.length === 1 ? vms.flatMap((vm) => vmButtons(vm)) : [];
    const words = leaving.length > 0 ? stillLeaving(leaving) : limitReached(maxVms, names, plan);
    await conversation.reply(plain(words, buttons));
    return;
  }
  const sshPort = await pickPort(trx, config.HOST_ID, config.SSH_PORT_RANGE);
  if (sshPort === null) {
    await conversation.reply(plain(noPortLeft));
    return;
  }
  const name = wanted ?? nextVmName(names);
  for (const failed of all.filter((vm) => vm.status === 'failed' && vm.name === name)) {
    const data = { operationId: conversation.newId(), vmId: failed.vm_id, at: now.toISOString() };
    await conversation.handleVm(failed.vm_id, { type: 'DestroyVm', data }, { chatId: null });
  }
  const vmId = conversation.newId();
  await vault.seal(trx, vmId, passwordName, newPassword());
  await conversation.handleVm(vmId, {
    type: 'RequestVm',
    data: {
      operationId: conversation.newId(),
      vmId,
      owner: person.id,
      name,
      host: config.HOST_ID,
      limits,
      plan,
      sshPort,
      at: now.toISOString(),
    },
  });
};

export const create = defineCommand({
  name: 'create',
  ...commandTexts.create,
  access: 'user',
  arguments: optionalVmName,
  run: requestVm,
});
