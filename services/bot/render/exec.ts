import { isBinary, lastCharacters, printable } from '../exec-output.ts';
import { type Content, type FmtString, plain } from '../format/rich-text.ts';
import { execCommandName, execOutputName } from '../sealed-names.ts';
import type { OperationRow, VmOperationRow, VmRow } from '../store/schema.ts';
import { cancelButton } from '../texts/buttons.ts';
import {
  type ExecInWords,
  execCancelled,
  execEnded,
  execFailed,
  execOpen,
  execTimedOut,
  outputCaption,
  shownOutput,
} from '../texts/operations.ts';
import { type Rendering, wordsFor } from './rendering.ts';

/** A command of `/exec`, while it runs and when it has ended. */

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

export const renderExec = async (
  operation: VmOperationRow,
  vm: VmRow,
  rendering: Rendering,
): Promise<Content> => {
  const { db, vault, board } = rendering;
  const { operation_id: id } = operation;
  const open = operation.status === 'open';
  const bytes = open ? null : await vault.unsealBytes(db, vm.vm_id, execOutputName(id));
  const binary = bytes !== null && isBinary(bytes);
  const text = bytes === null || binary ? null : printable(bytes);
  const asFile = binary || (text !== null && text.length > shownOutput);
  const words: ExecInWords = {
    ...(await wordsFor(operation, vm.name, rendering)),
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
