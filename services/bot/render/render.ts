import { type Content, type FmtString, join, plain } from '../format/rich-text.ts';
import { findNames } from '../names.ts';
import { findOperation, findVm } from '../queries.ts';
import { passwordName } from '../sealed-names.ts';
import { isVmOperation, type VmRow } from '../store/schema.ts';
import { closeTerminalsButton, statusButton, statusOfEach } from '../texts/buttons.ts';
import { vmDiskLow } from '../texts/disk.ts';
import { vmExited, vmLost, vmOutOfMemory } from '../texts/general.ts';
import { passwordChanged } from '../texts/keys.ts';
import { leftStopped } from '../texts/orders.ts';
import { gpuSwitchedOn } from '../texts/settings.ts';
import { vmCard } from '../texts/vms.ts';
import type { View } from '../view.ts';
import { renderKeys, renderPasswordChange } from './access.ts';
import { renderBatch, renderConfirmForceDestroy } from './batch.ts';
import { renderExec } from './exec.ts';
import { renderImageBuild } from './image-build.ts';
import { renderLifecycle } from './lifecycle.ts';
import { renderLink } from './link.ts';
import { renderOverview, renderPeople, renderVmList } from './overview.ts';
import { accessTo, buttonsFor, type Rendering } from './rendering.ts';
import { renderConfirmRemoveStrays, renderStrayRemoval, renderStrays } from './strays.ts';

/** Turns what a message is about into what people read, looking up everything that must not lie around as text. */

const renderOperation = async (operationId: string, rendering: Rendering): Promise<Content | null> => {
  const operation = await findOperation(rendering.db, operationId);
  if (operation === undefined) return null;
  if (operation.kind === 'link') return renderLink(operation, rendering);
  if (operation.kind === 'remove-strays') return renderStrayRemoval(operation, rendering);
  if (!isVmOperation(operation)) return renderImageBuild(operation, rendering);
  const vm = await findVm(rendering.db, operation.vm_id);
  if (vm === undefined) return null;
  if (operation.kind === 'exec') return renderExec(operation, vm, rendering);
  if (operation.kind === 'access') return renderPasswordChange(operation, vm, rendering);
  return renderLifecycle(operation, vm, rendering);
};

const cardOf = async (
  vm: VmRow,
  { db, vault, config, board, hosts, terminals, now }: Rendering,
): Promise<FmtString> =>
  vmCard(vm, {
    terminals: terminals.countOf(vm.vm_id),
    host: config.SSH_PUBLIC_HOST,
    password: await vault.unseal(db, vm.vm_id, passwordName),
    figures: board.figuresOf(vm.vm_id),
    trouble: hosts.troubleOf(vm.host),
    diskBytes: board.diskOf(vm.vm_id),
    now: new Date(now()),
  });

const renderStatuses = async (vmIds: readonly string[], rendering: Rendering): Promise<Content> => {
  const rows = await Promise.all(vmIds.map((vmId) => findVm(rendering.db, vmId)));
  const vms = rows.filter((vm) => vm !== undefined);
  const cards = await Promise.all(vms.map((vm) => cardOf(vm, rendering)));
  return plain(join(cards, '\n\n'), statusOfEach(vms));
};

const renderStatus = async (vm: VmRow, rendering: Rendering): Promise<Content> => {
  const card = await cardOf(vm, rendering);
  const buttons = await buttonsFor(vm, rendering);
  const open = rendering.terminals.countOf(vm.vm_id);
  return plain(card, [
    ...buttons.map((row) => row.filter(({ text }) => text !== statusButton(vm).text)),
    open === 0 ? [] : [closeTerminalsButton(vm, open)],
  ]);
};

const renderVmEvent = async (
  view: Extract<View, { kind: 'vm-event' }>,
  vm: VmRow,
  rendering: Rendering,
): Promise<Content> => {
  const buttons = await buttonsFor(vm, rendering);
  switch (view.event) {
    case 'lost':
      return plain(vmLost(vm.name), buttons);
    case 'out-of-memory':
      return plain(vmOutOfMemory(vm.name, vm.memory_bytes), buttons);
    case 'disk-low':
      return plain(vmDiskLow(vm.name, view.usedBytes, vm.disk_bytes), buttons);
    case 'left-stopped': {
      const who = view.by === null ? null : (await findNames(rendering.db))(view.by);
      return plain(leftStopped(vm.name, { reason: 'administrator', who, note: view.note }), buttons);
    }
    case 'exited':
      return plain(vmExited(vm.name, view.cause, view.exitCode, vm.memory_bytes), buttons);
  }
};

/** Null where there is nothing left to say. */
export const createRender =
  (rendering: Rendering) =>
  async (view: View): Promise<Content | null> => {
    const { db, hosts } = rendering;
    switch (view.kind) {
      case 'content':
        return view.content;
      case 'operation':
        return renderOperation(view.operationId, rendering);
      case 'batch':
        return renderBatch(view, rendering);
      case 'confirm-force-destroy':
        return renderConfirmForceDestroy(view, rendering);
      case 'keys':
        return renderKeys(view, rendering);
      case 'strays':
        return renderStrays(view.position, rendering);
      case 'confirm-remove-strays':
        return renderConfirmRemoveStrays(view, rendering);
      case 'overview':
        return renderOverview(rendering);
      case 'people':
        return renderPeople(view.page, rendering);
      case 'vm-list':
        return renderVmList(view.page, rendering);
      case 'gpu':
        return plain(
          gpuSwitchedOn(
            hosts.gpuOf(view.host),
            hosts.workers().some(({ host }) => host === view.host),
          ),
        );
      case 'statuses':
        return renderStatuses(view.vmIds, rendering);
      case 'status':
      case 'vm-event':
      case 'password': {
        const vm = await findVm(db, view.vmId);
        if (vm === undefined) return null;
        if (view.kind === 'status') return renderStatus(vm, rendering);
        if (view.kind === 'vm-event') return renderVmEvent(view, vm, rendering);
        return plain(
          passwordChanged(vm.name, false, await accessTo(vm, rendering)),
          await buttonsFor(vm, rendering),
        );
      }
    }
  };
