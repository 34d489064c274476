import { encodeCallback } from '../callback-data.ts';
import type { Button } from '../format/rich-text.ts';

type VmOfButton = { vm_id: string; name: string; epoch: number; status: string };

/** A question about something that cannot be undone stands for this long, in milliseconds. */
export const confirmationLifetime = 5 * 60_000;

/** What a phone shows of a label: alone in its row, and with another beside it. */
export const longestLabel = { alone: 40, beside: 30 } as const;

/** At most `room` characters. A name's beginning and end tell it apart from others, so its middle goes. */
const fitted = (name: string, room: number): string => {
  const characters = [...name];
  if (characters.length <= room) return name;
  const half = Math.floor((room - 1) / 2);
  return [...characters.slice(0, room - 1 - half), '…', ...characters.slice(-half)].join('');
};
const labelled = (before: string, name: string): string =>
  `${before}${fitted(name, longestLabel.alone - [...before].length)}`;

const forVm = (label: string, action: string, vm: VmOfButton): Button => ({
  text: label,
  data: encodeCallback(action, vm.vm_id, vm.epoch),
});

export const startButton = (vm: VmOfButton, label = '▶️ Start') => forVm(label, 'start', vm);
export const stopButton = (vm: VmOfButton, label = '⏹ Stop') => forVm(label, 'stop', vm);
export const restartButton = (vm: VmOfButton, label = '🔄 Restart') => forVm(label, 'restart', vm);
export const destroyButton = (vm: VmOfButton, label = '🗑 Destroy') => forVm(label, 'destroy', vm);
export const statusButton = (vm: VmOfButton, label = 'ℹ️ Status') => forVm(label, 'status', vm);

export const terminalButton = (vm: VmOfButton, label = '🖥 Terminal') => forVm(label, 'terminal', vm);
export const closeTerminalsButton = (vm: VmOfButton, count: number): Button =>
  forVm(count === 1 ? '✖️ Close the terminal' : `✖️ Close ${count} terminals`, 'close-terminals', vm);
/** Leads out of the chat; the link is good once. */
export const linkButton = (label: string, url: string): Button => ({ text: label, url });

export const confirmDestroyButton = (vm: VmOfButton, now: Date): Button => ({
  text: labelled('🗑 Yes, destroy ', vm.name),
  data: encodeCallback(
    'destroy-now',
    vm.vm_id,
    vm.epoch,
    (now.getTime() + confirmationLifetime).toString(36),
  ),
});
export const keepButton = (vm: VmOfButton): Button => forVm(labelled('Keep ', vm.name), 'keep', vm);

export const cancelButton = (operationId: string, label = '✖️ Cancel'): Button => ({
  text: label,
  data: encodeCallback('cancel', operationId),
});
/** Where several things can be cancelled, each button says which: `✖️ creating box`. */
export const cancelThisButton = (operationId: string, what: string): Button =>
  cancelButton(operationId, labelled('✖️ ', what));
export const createButton: Button = { text: '➕ Create a VM', data: encodeCallback('create') };
export const helpButton: Button = { text: '❔ Help', data: encodeCallback('help') };
export const askAccessButton: Button = { text: '🙋 Ask for access', data: encodeCallback('ask-access') };
export const grantButton = (userId: number, plan: { plan_id: string; name: string }): Button => ({
  text: `✅ ${plan.name}`,
  data: encodeCallback('grant', userId, plan.plan_id),
});
export const refuseButton = (userId: number): Button => ({
  text: '⛔️ Refuse',
  data: encodeCallback('refuse', userId),
});
/** Runs a command that waits for somebody to say on which of several VMs. */
export const execOnButton = (vm: VmOfButton, inputId: string): Button => ({
  text: vm.name,
  data: encodeCallback('exec-on', vm.vm_id, inputId),
});

/** The next sensible steps for a VM as it stands; only ones that would be accepted. */
export const vmButtons = (vm: VmOfButton, { mayStart = true } = {}): Button[][] => {
  switch (vm.status) {
    case 'running':
      return [
        [terminalButton(vm), statusButton(vm)],
        [restartButton(vm), stopButton(vm)],
        [destroyButton(vm)],
      ];
    case 'stopped':
      return [[...(mayStart ? [startButton(vm)] : []), statusButton(vm)], [destroyButton(vm)]];
    case 'failed':
    case 'lost':
      return [[destroyButton(vm)]];
    case 'destroyed':
      return mayStart ? [[createButton]] : [];
    default:
      return [];
  }
};

/** To the page before and the page after; none where there is only one. */
export const pageButtons = (action: 'vm-list' | 'people', page: number, pages: number): Button[][] => [
  [
    ...(page > 0 ? [{ text: '◀️', data: encodeCallback(action, page - 1) }] : []),
    ...(page < pages - 1 ? [{ text: '▶️', data: encodeCallback(action, page + 1) }] : []),
  ],
];

/** What half of the narrowest phone shows of a label. */
const halfRow = 16;
const statusOfButton = (vm: VmOfButton): Button => statusButton(vm, labelled('ℹ️ ', vm.name));
/** One button for each VM, which leads to its own card; two in a row where a phone shows both names. */
export const statusOfEach = (vms: readonly VmOfButton[]): Button[][] => {
  const buttons = vms.map(statusOfButton);
  const inRow = buttons.every(({ text }) => text.length <= halfRow) ? 2 : 1;
  return Array.from({ length: Math.ceil(buttons.length / inRow) }, (_, row) =>
    buttons.slice(row * inRow, (row + 1) * inRow),
  );
};

export const removeKeyButton = (key: { fingerprint: string }, label: string): Button => ({
  text: labelled('🗑 ', label),
  // A fingerprint is longer than callback data may be; its beginning tells one person's keys apart.
  data: encodeCallback('remove-key', key.fingerprint.slice('SHA256:'.length, 'SHA256:'.length + 20)),
});
export const passwordButton = (vm: VmOfButton, label = '🔑 New password') => forVm(label, 'password', vm);
/** What happened before the event at that place of the log. `about`: a VM or a person, empty for all. */
export const olderButton = (action: 'history' | 'audit', about: string | number, before: number): Button => ({
  text: '⏪ Older',
  data: encodeCallback(action, about, before),
});
export const showStraysButton: Button = {
  text: '🧹 What no VM accounts for',
  data: encodeCallback('strays'),
};
/** `mark`: of the group; `what`: its VM's id, or its name. */
export const removeStrayButton = (mark: string, what: string): Button => ({
  text: labelled('🗑 Remove ', what),
  data: encodeCallback('stray', mark),
});
export const removeAllStraysButton = (count: number): Button => ({
  text: `🗑 Remove all ${count}`,
  data: encodeCallback('stray', 'all'),
});
export const confirmStraysButton = (question: number): Button => ({
  text: '🗑 Yes, remove it for good',
  data: encodeCallback('strays-remove', question),
});
export const keepStraysButton: Button = { text: 'Keep it', data: encodeCallback('strays-keep') };

/** `question`: the update that asked; what was asked is kept with the message. */
export const confirmForceDestroyButton = (question: number): Button => ({
  text: '🗑 Yes, destroy them',
  data: encodeCallback('force-destroy', question),
});
export const dropForceDestroyButton: Button = {
  text: 'Keep them',
  data: encodeCallback('force-destroy-drop'),
};
