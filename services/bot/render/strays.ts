import { type Button, type Content, plain } from '../format/rich-text.ts';
import { findNames } from '../names.ts';
import type { OperationRow, StrayRow } from '../store/schema.ts';
import {
  findStrays,
  findStraysOfOperation,
  findStraysToldAt,
  groupStrays,
  mayGo,
  type StrayGroup,
} from '../strays.ts';
import {
  confirmStraysButton,
  keepStraysButton,
  removeAllStraysButton,
  removeStrayButton,
  showStraysButton,
} from '../texts/buttons.ts';
import { reference } from '../texts/operations.ts';
import {
  allStrays,
  confirmStrayRemoval,
  type StrayInWords,
  strayRemovalDone,
  strayRemovalFailed,
  strayRemovalOpen,
  strayRemovalTimedOut,
  straysTold,
} from '../texts/strays.ts';
import { readUserId } from '../user-id.ts';
import type { ConfirmRemoveStraysView } from '../view.ts';
import { type Rendering, wordsFor } from './rendering.ts';

/** What administrators read of things that no VM accounts for. */

/** With more of them a button for each would hide what it is about. */
const mostButtons = 5;

/** Groups, each with its words. */
export const straysInWords = async (
  groups: readonly StrayGroup[],
  { db, now }: Pick<Rendering, 'db' | 'now'>,
): Promise<StrayInWords[]> => {
  const names = await findNames(db);
  return groups.map(({ rows }): StrayInWords => {
    const [first] = rows as [StrayRow];
    const owner = readUserId(first.owner ?? undefined);
    const times = rows.flatMap(({ created_at }) => created_at ?? []);
    const oldest = times.length === 0 ? null : Math.min(...times.map((time) => Date.parse(time)));
    return {
      host: first.host,
      reason: first.reason,
      vmId: first.vm_id,
      owner: owner === null ? null : names(owner),
      things: rows.map(({ kind, name, running }) => ({ kind, name, running: running === 1 })),
      age: oldest === null ? null : Math.max(0, now() - oldest),
      going: rows.every(({ operation_id }) => operation_id !== null),
    };
  });
};

const removeButtons = (groups: readonly StrayGroup[]): Button[][] => {
  const removable = groups.filter(({ rows }) => rows.some(mayGo));
  const each = removable.map(({ mark, rows: [first] }) => [
    removeStrayButton(mark, (first!.reason === 'unknown-vm' ? first!.vm_id : null) ?? first!.name),
  ]);
  return removable.length > mostButtons ? [] : each;
};

export const renderStrays = async (position: number | null, rendering: Rendering): Promise<Content> => {
  const all = groupStrays(await findStrays(rendering.db));
  const removableInAll = all.filter(({ rows }) => rows.some(mayGo)).length;
  const forAll = removableInAll > 1 ? [[removeAllStraysButton(removableInAll)]] : [];
  if (position === null) {
    const words = await straysInWords(all, rendering);
    return plain(allStrays(words), [...removeButtons(all), ...forAll]);
  }
  const told = await findStraysToldAt(rendering.db, position);
  const groups = groupStrays(told.filter(({ gone_at }) => gone_at === null));
  const gone = groupStrays(told).length - groups.length;
  const text = straysTold(told[0]?.host ?? '', await straysInWords(groups, rendering), gone);
  return plain(text, groups.length === 0 ? [] : [...removeButtons(groups), ...forAll]);
};

export const renderConfirmRemoveStrays = async (
  { question, strays }: ConfirmRemoveStraysView,
  rendering: Rendering,
): Promise<Content> => {
  const asked = (await findStrays(rendering.db)).filter((row) =>
    strays.some(({ host, key }) => host === row.host && key === row.key),
  );
  const text = confirmStrayRemoval(await straysInWords(groupStrays(asked), rendering));
  return plain(text, [[confirmStraysButton(question)], [keepStraysButton]]);
};

/** The one message of a removal. */
export const renderStrayRemoval = async (operation: OperationRow, rendering: Rendering): Promise<Content> => {
  const { elapsedMs, reasonCode, reasonDetail, operationId } = await wordsFor(
    operation,
    operation.host,
    rendering,
  );
  const things = await findStraysOfOperation(rendering.db, operationId);
  const words = {
    host: operation.host,
    things,
    elapsedMs,
    reasonCode,
    reasonDetail,
    reference: reference(operationId),
  };
  switch (operation.status) {
    case 'open':
      return plain(strayRemovalOpen(words));
    case 'succeeded':
      return plain(strayRemovalDone(words));
    case 'timed-out':
      return plain(strayRemovalTimedOut(words), [[showStraysButton]]);
    default:
      return plain(strayRemovalFailed(words), [[showStraysButton]]);
  }
};
