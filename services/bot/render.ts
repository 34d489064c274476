import type { Vault } from '../../shared/secrets/vault.ts';
import type { BotConfig, Db } from './conversation.ts';
import { isBinary, lastCharacters, printable } from './exec-output.ts';
import { type Content, type FmtString, plain } from './format/rich-text.ts';
import type { ProgressBoard } from './progress-board.ts';
import { findOperation, findVm } from './queries.ts';
import { execCommandName, execOutputName, passwordName } from './sealed-names.ts';
import type { OperationRow, VmRow } from './store/schema.ts';
import { cancelButton, createButton, vmButtons } from './texts/buttons.ts';
import { vmExited, vmLost } from './texts/general.ts';
import {
  created,
  destroyed,
  type ExecInWords,
  execCancelled,
  execEnded,
  execFailed,
  execOpen,
  execTimedOut,
  type OperationInWords,
  operationCancelled,
  operationFailed,
  operationOpen,
  operationTimedOut,
  outputCaption,
  shownOutput,
  started,
  stopped,
} from './texts/operations.ts';
import { accessInWords, vmCard } from './texts/vms.ts';
import type { View } from './view.ts';

/** Turns what a message is about into what people read, looking up everything that must not lie around as text. */

export type Rendering = {
  db: Db;
  vault: Vault;
  config: Pick<BotConfig, 'SSH_PUBLIC_HOST'>;
  board: ProgressBoard;
  now: () => number;
};

const cancellable = ['create', 'start', 'restart'];

const endOf = ({ ended_at, requested_at }: OperationRow, now: number): number =>
  (ended_at === null ? now : Date.parse(ended_at)) - Date.parse(requested_at);

const wordsFor = (operation: OperationRow, vm: VmRow, { board, now }: Rendering): OperationInWords => {
  const progress = board.of(operation.operation_id, operation.host);
  return {
    kind: operation.kind,
    status: operation.status,
    name: vm.name,
    operationId: operation.operation_id,
    elapsedMs: Math.max(0, endOf(operation, now())),
    reasonCode: operation.reason_code,
    reasonDetail: operation.reason_detail,
    cancelling: operation.cancelling === 1,
    ahead: progress.ahead,
    step: progress.step,
    stepDetail: progress.detail,
  };
};

const accessTo = async (vm: VmRow, { db, vault, config }: Rendering): Promise<FmtString> =>
  accessInWords(vm, config.SSH_PUBLIC_HOST, await vault.unseal(db, vm.vm_id, passwordName));

const success = async (operation: OperationInWords, vm: VmRow, rendering: Rendering): Promise<FmtString> => {
  switch (operation.kind) {
    case 'create':
      return created(vm.name, operation.elapsedMs, await accessTo(vm, rendering));
    case 'start':
    case 'restart':
      return started(vm.name, operation.elapsedMs, await accessTo(vm, rendering));
    case 'stop':
      return stopped(vm.name);
    default:
      return destroyed(vm.name);
  }
};

const renderLifecycle = async (
  operation: OperationRow,
  vm: VmRow,
  rendering: Rendering,
): Promise<Content> => {
  const words = wordsFor(operation, vm, rendering);
  switch (operation.status) {
    case 'open':
      return plain(
        operationOpen(words),
        cancellable.includes(operation.kind) ? [[cancelButton(operation.operation_id)]] : [],
      );
    case 'succeeded':
      return plain(
        await success(words, vm, rendering),
        operation.kind === 'destroy' ? [[createButton]] : vmButtons(vm),
      );
    case 'failed':
      return plain(operationFailed(words), vmButtons(vm));
    case 'cancelled':
      return plain(operationCancelled(words, vm.status === 'destroying' && operation.kind !== 'create'));
    case 'timed-out':
      return plain(operationTimedOut(words), vmButtons(vm));
  }
};

const execWords = (words: ExecInWords, status: OperationRow['status']): FmtString => {
  switch (status) {
    case 'open':
      return execOpen(words);
    case 'succeeded':
      return execEnded(words);
    case 'failed':
      return execFailed(words);
    case 'cancelled':
      return execCancelled(words);
    case 'timed-out':
      return execTimedOut(words);
  }
};

const renderExec = async (operation: OperationRow, vm: VmRow, rendering: Rendering): Promise<Content> => {
  const { db, vault, board } = rendering;
  const { operation_id: id } = operation;
  const open = operation.status === 'open';
  const bytes = open ? null : await vault.unsealBytes(db, vm.vm_id, execOutputName(id));
  const binary = bytes !== null && isBinary(bytes);
  const text = bytes === null || binary ? null : printable(bytes);
  const asFile = binary || (text !== null && text.length > shownOutput);
  const words: ExecInWords = {
    ...wordsFor(operation, vm, rendering),
    command: await vault.unseal(db, vm.vm_id, execCommandName(id)),
    output: open ? board.of(id, operation.host).output : asFile ? null : text,
    exitCode: operation.exit_code,
    durationMs: operation.duration_ms,
    timeoutSeconds: operation.timeout_seconds ?? 0,
    asFile,
    truncated: operation.truncated === 1,
  };
  const buttons = open && operation.cancelling === 0 ? [[cancelButton(id)]] : [];
  const content = plain(execWords(words, operation.status), buttons);
  if (!asFile || bytes === null) return content;
  const caption = outputCaption(words, text === null ? '' : lastCharacters(text, 700));
  return {
    ...content,
    document: {
      filename: `output-${id}.${binary ? 'bin' : 'txt'}`,
      bytes,
      caption: caption.text,
      captionEntities: caption.entities ?? [],
    },
  };
};

const renderVmEvent = (view: Extract<View, { kind: 'vm-event' }>, vm: VmRow): Content =>
  view.event === 'lost'
    ? plain(vmLost(vm.name), vmButtons(vm))
    : plain(vmExited(vm.name, view.cause, view.exitCode, vm.memory_bytes), vmButtons(vm));

/** Null where there is nothing left to say. */
export const createRender =
  (rendering: Rendering) =>
  async (view: View): Promise<Content | null> => {
    const { db, vault, config, board, now } = rendering;
    switch (view.kind) {
      case 'content':
        return view.content;
      case 'operation': {
        const operation = await findOperation(db, view.operationId);
        const vm = operation && (await findVm(db, operation.vm_id));
        if (operation === undefined || vm === undefined) return null;
        return operation.kind === 'exec'
          ? renderExec(operation, vm, rendering)
          : renderLifecycle(operation, vm, rendering);
      }
      case 'status': {
        const vm = await findVm(db, view.vmId);
        if (vm === undefined) return null;
        const password = await vault.unseal(db, vm.vm_id, passwordName);
        const card = vmCard(vm, {
          host: config.SSH_PUBLIC_HOST,
          password,
          figures: board.figuresOf(vm.vm_id),
          now: new Date(now()),
        });
        return plain(
          card,
          vmButtons(vm).map((row) => row.filter(({ text }) => text !== 'ℹ️ Status')),
        );
      }
      case 'vm-event': {
        const vm = await findVm(db, view.vmId);
        return vm === undefined ? null : renderVmEvent(view, vm);
      }
    }
  };
