import { bold, code, FmtString, fmt, join, pre } from 'telegraf/format';
import type { MessageEntity } from 'telegraf/types';

/**
 * Text with entities, built from parts: nothing is ever escaped, so nothing can be escaped wrongly.
 *
 * content — what one message shows: text, buttons below it, perhaps a file.
 */

export { bold, code, FmtString, fmt, join, pre };

export type Button = { text: string; data: string } | { text: string; url: string };

export type Document = {
  filename: string;
  bytes: Buffer;
  caption: string;
  captionEntities: MessageEntity[];
};

export type Content = {
  text: string;
  entities: MessageEntity[];
  buttons: Button[][];
  document?: Document;
};

/** What Telegram takes in one message and in one caption, in UTF-16 units. */
export const longestText = 4_096;

/** A message of text, with buttons below it. Text beyond Telegram's limit is cut. */
export const plain = (text: FmtString, buttons: Button[][] = []): Content => {
  const cut = truncate(text, longestText);
  return {
    text: cut.text,
    entities: cut.entities ?? [],
    buttons: buttons.filter((row) => row.length > 0),
  };
};

/** A quote that shows its first three lines until it is touched. Newer than telegraf's types. */
export const blockquote = (text: FmtString): FmtString =>
  new FmtString(text.text, [
    { type: 'expandable_blockquote', offset: 0, length: text.text.length } as unknown as MessageEntity,
    ...(text.entities ?? []),
  ]);

/**
 * Something to hide and to copy. Telegram's server takes a spoiler away where it lies over code, so this belongs
 * into the folded part of a quote; the spoiler stays for the day on which it is allowed.
 */
export const hidden = (text: string): FmtString =>
  new FmtString(text, [
    { type: 'spoiler', offset: 0, length: text.length },
    { type: 'code', offset: 0, length: text.length },
  ]);

/** At most `limit` UTF-16 units, an ellipsis for the rest; no symbol is cut in two, no entity ends past the end. */
export const truncate = (text: FmtString, limit: number): FmtString => {
  if (text.text.length <= limit) return text;
  const kept = text.text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '');
  const entities = (text.entities ?? [])
    .filter(({ offset }) => offset < kept.length)
    .map((entity) => ({ ...entity, length: Math.min(entity.length, kept.length - entity.offset) }));
  return new FmtString(`${kept}…`, entities);
};
