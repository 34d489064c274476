import type { AccessCause, Order, VmEvent } from './events.ts';
import type { Vm } from './vm.ts';

/**
 * What others than a VM's owner want of it, which is never refused: what cannot be done while an operation is in flight
 * becomes a plan, and follows in the same decision as that operation's end.
 */

type Ids = { operationId: string; vmId: string; at: string };

const isMaintenance = ({ reason }: Order): boolean => reason === 'maintenance';

/** The plans for an operation's success, when it has another end. */
export const dropPlans = (
  { planned: { stop, start } }: Vm,
  { vmId, at }: { vmId: string; at: string },
): VmEvent[] =>
  [stop, start].flatMap((plan) =>
    plan === null ? [] : [{ type: 'VmPlanDropped' as const, data: { vmId, at, order: plan.order } }],
  );

export const orderStop = (vm: Vm, { order, ...ids }: Ids & { order: Order }): VmEvent[] => {
  switch (vm.status) {
    case 'running':
      return [{ type: 'VmStopRequested', data: { ...ids, epoch: vm.epoch + 1, order } }];
    case 'creating':
    case 'starting': {
      // Of two orders the one that nothing takes back counts.
      const { stop } = vm.planned;
      if (stop !== null && (isMaintenance(order) || !isMaintenance(stop.order))) return [];
      return [...dropPlans(vm, ids), { type: 'VmStopPlanned', data: { ...ids, order } }];
    }
    case 'stopping':
    case 'stopped': {
      const { vmId, at } = ids;
      if (!vm.paused) return [];
      if (!isMaintenance(order)) {
        return [...dropPlans(vm, ids), { type: 'VmLeftStopped', data: { vmId, at, order } }];
      }
      return dropPlans(vm, ids);
    }
    default:
      return [];
  }
};

export const orderStart = (vm: Vm, { order, ...ids }: Ids & { order: Order }): VmEvent[] => {
  switch (vm.status) {
    case 'stopped':
      return vm.paused ? [{ type: 'VmStartRequested', data: { ...ids, epoch: vm.epoch + 1, order } }] : [];
    case 'stopping':
      return vm.paused && vm.planned.start === null
        ? [{ type: 'VmStartPlanned', data: { ...ids, order } }]
        : [];
    case 'creating':
    case 'starting': {
      const { stop } = vm.planned;
      return stop !== null && isMaintenance(stop.order) ? dropPlans(vm, ids) : [];
    }
    default:
      return [];
  }
};

/** What was planned for the moment at which the VM is up. A VM that is to stop needs no new access before. */
export const onceUp = (vm: Vm, { vmId, at }: Ids): VmEvent[] => {
  const { stop, access } = vm.planned;
  if (stop !== null) return [{ type: 'VmStopRequested', data: { ...stop, vmId, at, epoch: vm.epoch + 1 } }];
  return access === null ? [] : [{ type: 'AccessUpdateRequested', data: { ...access, vmId, at } }];
};

export const onceDown = (vm: Vm, { vmId, at }: Ids): VmEvent[] => {
  const { start } = vm.planned;
  return start === null
    ? []
    : [{ type: 'VmStartRequested', data: { ...start, vmId, at, epoch: vm.epoch + 1 } }];
};

export const updateKeys = (vm: Vm, ids: Ids): VmEvent[] => {
  const data = { ...ids, cause: 'keys' as AccessCause };
  if (vm.status === 'running') return [{ type: 'AccessUpdateRequested', data }];
  const comesUp = vm.status === 'creating' || vm.status === 'starting';
  return comesUp ? [{ type: 'AccessUpdatePlanned', data }] : [];
};
