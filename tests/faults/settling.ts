import type { OnHost, Stored } from './evidence.ts';

/** What must have come true some time after the last fault; gives what has not, in words. */

const openOperations = ({ operations }: Stored): string[] =>
  operations
    .filter(({ status }) => status === 'open')
    .map(({ kind, operation_id, vm_id }) => `${kind} ${operation_id} of VM ${vm_id} has not ended`);

const untold = ({ messages }: Stored): string[] =>
  messages
    .filter(
      ({ state, revision, delivered_revision: delivered }) =>
        state !== 'undeliverable' && delivered < revision,
    )
    .map(({ key, chat_id }) => `message ${key} is not in chat ${chat_id}`);

const unsent = ({ outbox }: Stored): string[] =>
  outbox
    .filter(({ sent_at }) => sent_at === null)
    .map(({ job_id }) => `job ${job_id} has not left the outbox`);

const containerStates: Record<string, 'running' | 'stopped' | 'absent'> = {
  running: 'running',
  stopped: 'stopped',
  destroyed: 'absent',
};

/** Where Docker has something else than the bot believes, or something that nobody owns. */
const disagreements = ({ vms }: Stored, { containers, volumes }: OnHost): string[] => [
  ...vms.flatMap(({ vm_id: vmId, status }) => {
    const wanted = containerStates[status];
    const found = containers.find((container) => container.vmId === vmId);
    const state = found === undefined ? 'absent' : found.running ? 'running' : 'stopped';
    return wanted === undefined || wanted === state
      ? []
      : [`VM ${vmId} is ${status}, and its container is ${state}`];
  }),
  ...[...containers, ...volumes]
    .filter(({ vmId }) => !vms.some((vm) => vm.vm_id === vmId && vm.status !== 'destroyed'))
    .map((thing) => `${'name' in thing ? `volume ${thing.name}` : `container ${thing.id}`} has no owner`),
];

export const findUnsettled = (
  stored: Stored,
  host: OnHost,
  updates: { pending: number[]; sent: number[] },
): string[] => {
  const known = new Set(stored.updates.map(({ update_id }) => update_id));
  return [
    ...updates.pending.map((id) => `update ${id} was not taken`),
    ...updates.sent.filter((id) => !known.has(id)).map((id) => `update ${id} is not stored`),
    ...openOperations(stored),
    ...unsent(stored),
    ...untold(stored),
    ...disagreements(stored, host),
  ];
};
