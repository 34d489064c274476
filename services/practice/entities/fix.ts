import { badRequest } from '../refusal.ts';
import { detectEntities } from './detect.ts';
import {
  type Entity,
  endOf,
  type FormattedText,
  isQuotation,
  isSplittable,
  isVerbatim,
  sorted,
} from './types.ts';

/**
 * What Telegram's server does with every text before it is a message: it checks the entities, replaces control
 * characters, trims, resolves overlaps and adds the commands, mentions and addresses it recognises.
 */

const removed = /\r|[\u2028-\u202e]|\u0333|\u033f|\u030a/;
const blank = (character: string | undefined) => character === ' ' || character === '\n';

const checkPlaces = (text: string, entities: Entity[]): void => {
  const insideSymbol = (at: number) => /[\ud800-\udbff]/.test(text[at - 1] ?? '') && at < text.length;
  const bytesTo = (at: number) => Buffer.byteLength(text.slice(0, at - 1)) + 4;
  for (const entity of entities) {
    const { offset, length } = entity;
    if (offset < 0 || offset > 1e6) throw badRequest(`receive an entity with incorrect offset ${offset}`);
    if (length < 0 || length > 1e6) throw badRequest(`receive an entity with incorrect length ${length}`);
    if (length === 0) continue;
    if (offset > text.length) {
      throw badRequest(`entity begins after the end of the text at UTF-16 offset ${offset}`);
    }
    const begin = `entity beginning at UTF-16 offset ${offset}`;
    if (endOf(entity) > text.length) {
      throw badRequest(`${begin} ends after the end of the text at UTF-16 offset ${endOf(entity)}`);
    }
    if (insideSymbol(offset)) {
      throw badRequest(`entity begins in a middle of a UTF-16 symbol at byte offset ${bytesTo(offset)}`);
    }
    if (insideSymbol(endOf(entity))) {
      throw badRequest(
        `${begin} ends in a middle of a UTF-16 symbol at byte offset ${bytesTo(endOf(entity))}`,
      );
    }
  }
};

/** Control characters become spaces, carriage returns and direction marks go; entities move along. */
const clean = (text: string, entities: Entity[]): FormattedText => {
  const movedTo: number[] = [];
  let result = '';
  for (const unit of text.split('')) {
    movedTo.push(result.length);
    if (!removed.test(unit)) result += unit < ' ' && unit !== '\n' ? ' ' : unit;
  }
  movedTo.push(result.length);
  const moved = entities.map((entity) => {
    const offset = movedTo[entity.offset]!;
    return { ...entity, offset, length: movedTo[endOf(entity)]! - offset };
  });
  return { text: result, entities: moved };
};

const dropOverlaps = (entities: Entity[], taken: Entity[] = []): Entity[] => {
  const kept: Entity[] = [];
  for (const entity of sorted(entities)) {
    const free = [...kept, ...taken].every((e) => endOf(e) <= entity.offset || endOf(entity) <= e.offset);
    if (free) kept.push(entity);
  }
  return kept;
};

const without = (entity: Entity, hole: Entity): Entity[] => {
  const parts = [
    { ...entity, length: Math.min(endOf(entity), hole.offset) - entity.offset },
    {
      ...entity,
      offset: Math.max(entity.offset, endOf(hole)),
      length: endOf(entity) - Math.max(entity.offset, endOf(hole)),
    },
  ];
  return parts.filter(({ length }) => length > 0);
};

const mergeSameType = (entities: Entity[]): Entity[] => {
  const merged: Entity[] = [];
  for (const entity of sorted(entities)) {
    const earlier = merged.find((e) => e.type === entity.type && entity.offset <= endOf(e));
    if (earlier) earlier.length = Math.max(endOf(earlier), endOf(entity)) - earlier.offset;
    else merged.push({ ...entity });
  }
  return merged;
};

/**
 * Code wins over everything: a spoiler or bold that lies over `code` or `pre` is cut away there. A secret in
 * a code entity under a spoiler is therefore **not** hidden, neither on Telegram nor here.
 */
export const resolveOverlaps = (entities: Entity[]): Entity[] => {
  const quotations = dropOverlaps(entities.filter(isQuotation));
  const crosses = (e: Entity, quotation: Entity) =>
    e.offset < endOf(quotation) &&
    quotation.offset < endOf(e) &&
    (e.offset < quotation.offset || endOf(e) > endOf(quotation));
  const continuous = dropOverlaps(entities.filter((e) => !isSplittable(e) && !isQuotation(e))).filter(
    (e) => !quotations.some((quotation) => crosses(e, quotation)),
  );
  const splittable = continuous
    .filter(isVerbatim)
    .reduce(
      (parts, hole) => parts.flatMap((part) => without(part, hole)),
      mergeSameType(entities.filter(isSplittable)),
    );
  return sorted([...quotations, ...continuous, ...splittable]);
};

/** Whether a spoiler hides less than its sender meant, because code lies under it. */
export const spoilerIsCut = (entities: Entity[]): boolean =>
  entities.some(
    (spoiler) =>
      spoiler.type === 'spoiler' &&
      entities.some((e) => isVerbatim(e) && e.offset < endOf(spoiler) && spoiler.offset < endOf(e)),
  );

/** Entities give up the blanks they begin with, and vanish where they hold nothing else. */
const trimEntities = (text: string, entities: Entity[]): Entity[] =>
  entities.flatMap((entity) => {
    let { offset } = entity;
    while (offset < endOf(entity) && blank(text[offset])) offset++;
    const length = endOf(entity) - offset;
    return length > 0 ? [{ ...entity, offset, length }] : [];
  });

const trim = ({ text, entities }: FormattedText): FormattedText => {
  let end = text.length;
  while (end > 0 && blank(text[end - 1])) end--;
  const inside = entities
    .map((entity) => ({ ...entity, length: Math.min(endOf(entity), end) - entity.offset }))
    .filter(({ length }) => length > 0);
  let begin = 0;
  const firstEntity = inside[0]?.offset ?? end;
  while (begin < firstEntity && blank(text[begin])) begin++;
  return {
    text: text.slice(begin, end),
    entities: inside.map((entity) => ({ ...entity, offset: entity.offset - begin })),
  };
};

/** The text as the server keeps it. An empty result is the caller's to refuse. Throws refusals for wrong entities. */
export const fixFormattedText = (text: string, entities: Entity[]): FormattedText => {
  if (!text.isWellFormed()) throw badRequest('strings must be encoded in UTF-8');
  checkPlaces(text, entities);
  const cleaned = clean(
    text,
    entities.filter(({ length }) => length > 0),
  );
  const resolved = trimEntities(cleaned.text, resolveOverlaps(cleaned.entities));
  const trimmed = trim({ text: cleaned.text, entities: sorted(resolved) });
  const taken = trimmed.entities.filter((e) => !isSplittable(e) && !isQuotation(e));
  const found = dropOverlaps(detectEntities(trimmed.text), taken);
  return { text: trimmed.text, entities: sorted([...trimmed.entities, ...found]) };
};
