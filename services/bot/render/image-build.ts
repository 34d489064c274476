import { type Content, type FmtString, plain } from '../format/rich-text.ts';
import type { OperationRow } from '../store/schema.ts';
import { cancelButton } from '../texts/buttons.ts';
import {
  imageBuildCancelled,
  imageBuildDone,
  imageBuildFailed,
  imageBuildOpen,
  imageBuildTimedOut,
} from '../texts/operations.ts';
import { type Rendering, wordsFor } from './rendering.ts';

/** The one message of a build of the image. */
export const renderImageBuild = async (operation: OperationRow, rendering: Rendering): Promise<Content> => {
  const words = await wordsFor(operation, operation.host, rendering);
  const text = (): FmtString => {
    switch (operation.status) {
      case 'open':
        return imageBuildOpen(words);
      case 'succeeded':
        return imageBuildDone(operation.host, words.elapsedMs);
      case 'failed':
        return imageBuildFailed(words);
      case 'cancelled':
        return imageBuildCancelled;
      case 'timed-out':
        return imageBuildTimedOut(words);
    }
  };
  return plain(text(), operation.status === 'open' ? [[cancelButton(operation.operation_id)]] : []);
};
