/**
 * Formatting stands beside a text, not in it: an entity says from which UTF-16 unit (`offset`), over how many
 * (`length`), what is meant. Telegram sorts entity types in three kinds, which decide what may overlap:
 *
 * splittable  bold, italic, underline, strikethrough, spoiler: may overlap anything except code and pre
 * blockquote  may hold others, not another quotation
 * continuous  all others (links, commands, code, pre): never inside one another
 */
export type Entity = {
  type: string;
  offset: number;
  length: number;
  url?: string | undefined;
  language?: string | undefined;
  user?: unknown;
  custom_emoji_id?: string | undefined;
};

export type FormattedText = { text: string; entities: Entity[] };

const splittable = ['bold', 'italic', 'underline', 'strikethrough', 'spoiler'];
const detected = ['mention', 'hashtag', 'cashtag', 'bot_command', 'url', 'email', 'phone_number'];
const other = [
  'blockquote',
  'expandable_blockquote',
  'code',
  'pre',
  'text_link',
  'text_mention',
  'custom_emoji',
];

export const entityTypes = new Set([...splittable, ...detected, ...other]);

export const isSplittable = ({ type }: Entity): boolean => splittable.includes(type);
export const isQuotation = ({ type }: Entity): boolean => type.endsWith('blockquote');
export const isVerbatim = ({ type }: Entity): boolean => type === 'code' || type === 'pre';

export const endOf = (entity: Entity): number => entity.offset + entity.length;

/** By place; of two that begin together, the one that holds the other comes first. */
export const sorted = (entities: Entity[]): Entity[] =>
  [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length || a.type.localeCompare(b.type));
