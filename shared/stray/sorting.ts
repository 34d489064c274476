import type { VmStatus } from '../vm/vm.ts';
import type { Thing } from './thing.ts';

/**
 * Whose a thing is. What may hold somebody's work goes only where its owner's order said so: of VMs that were destroyed or
 * never came into being. Everything else that looks out of place is for people to judge.
 */

export type KnownVm = {
  vmId: string;
  status: string;
  /** The host that the VM was made on. */
  host: string;
  epoch: number;
  /** When it came into its present state. ISO. */
  changedAt: string;
};

/**
 * `unknown-vm`: its VM stands in no event, as after the restore of an older backup. `misnamed`: its labels or its name are
 * not as Berth makes them. `other-host`: its VM belongs to another host. `lost-vm`: the container of a VM that counts as lost.
 */
export type StrayReason = 'unknown-vm' | 'misnamed' | 'other-host' | 'lost-vm';

export type Verdict =
  | { kind: 'owned' }
  | { kind: 'leftover'; vm: KnownVm }
  | { kind: 'stray'; reason: StrayReason };

/** Neither of these becomes anything else but destroyed: what they had is not needed any more. */
const ended: readonly string[] = ['destroyed', 'failed'] satisfies VmStatus[];

const owned: Verdict = { kind: 'owned' };
const stray = (reason: StrayReason): Verdict => ({ kind: 'stray', reason });

/** The instance's own networks: its name, and with a number behind it those that follow when one is full. */
export const isOwnNetwork = (instance: string, name: string): boolean =>
  name === instance || (name.startsWith(`${instance}-`) && /^\d+$/.test(name.slice(instance.length + 1)));

/** `vm`: the one that the thing's label names, if there is such a VM. */
export const sortThing = (
  { kind, name, vmId }: Thing,
  { instance, host, vm }: { instance: string; host: string; vm: KnownVm | undefined },
): Verdict => {
  if (kind === 'network') return isOwnNetwork(instance, name) ? owned : stray('misnamed');
  if (vmId === null || name !== `${instance}-${vmId}`) return stray('misnamed');
  if (vm === undefined) return stray('unknown-vm');
  if (ended.includes(vm.status)) return { kind: 'leftover', vm };
  if (vm.host !== host) return stray('other-host');
  return vm.status === 'lost' && kind === 'container' ? stray('lost-vm') : owned;
};
