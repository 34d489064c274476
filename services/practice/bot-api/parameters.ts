import { z } from 'zod';
import type { Log } from '../../../shared/log.ts';
import { fixFormattedText, spoilerIsCut } from '../entities/fix.ts';
import { parseHtml } from '../entities/html.ts';
import { type Entity, entityTypes, type FormattedText } from '../entities/types.ts';
import { badRequest } from '../refusal.ts';

/**
 * Parameters arrive as JSON values, or, from queries and forms, as strings that may hold JSON. These schemas
 * take both, and a failing one carries Telegram's words for the refusal.
 */

const parseIfText = (value: unknown): unknown => {
  if (typeof value !== 'string' || value === '') return value === '' ? undefined : value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};

/** An object or a list, or the text of one. */
export const json = <T extends z.ZodType>(schema: T) => z.preprocess(parseIfText, schema);

export const integer = z.preprocess((value) => {
  if (typeof value !== 'string') return value;
  return /^-?\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
}, z.number().int());

export const flag = z
  .preprocess((value) => (typeof value === 'string' ? /^(true|yes|1)$/i.test(value) : value), z.boolean())
  .default(false);

export const text = z.preprocess((value) => (typeof value === 'number' ? String(value) : value), z.string());

export const chatId = z.union([integer, z.string().min(1)], { error: 'chat_id is empty' });

export const messageId = z
  .unknown()
  .transform((value) => integer.safeParse(value).data)
  .pipe(z.number({ error: 'message identifier is not specified' }));

const entity = z.looseObject({
  type: z
    .string({ error: `can't parse MessageEntity: Can't find field "type"` })
    .refine((type) => entityTypes.has(type), "can't parse MessageEntity: Unsupported type specified"),
  offset: z.number({ error: `can't parse MessageEntity: Can't find field "offset"` }).int(),
  length: z.number({ error: `can't parse MessageEntity: Can't find field "length"` }).int(),
  url: z.string().optional(),
});

export const entities = json(
  z.array(entity, { error: 'entities must be an Array of MessageEntity' }),
).optional();

export const replyParameters = json(
  z.looseObject({ message_id: z.number().int(), allow_sending_without_reply: z.boolean().default(false) }),
).optional();

/** Where the answer of `send…` hangs on to. */
export const replyFields = {
  reply_parameters: replyParameters,
  reply_to_message_id: integer.optional(),
  allow_sending_without_reply: flag,
};

export const formatFields = { parse_mode: text.optional() };

/** Telegram wants a host with a dot; `localhost` is none. Throws "Wrong HTTP URL". */
export const checkUrl = (url: string, what: string): void => {
  const parsed = URL.parse(/^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `http://${url}`);
  if (parsed && ['tg:', 'mailto:', 'tel:'].includes(parsed.protocol)) return;
  const known = parsed && ['http:', 'https:', 'ton:'].includes(parsed.protocol);
  const named = parsed && (parsed.hostname.includes('.') || parsed.hostname.startsWith('['));
  if (!known || !named) throw badRequest(`${what} URL '${url}' is invalid: Wrong HTTP URL`);
};

/** Text and entities as the server keeps them, from whichever way of formatting the call used. */
export const readFormatted = (
  log: Log,
  raw: string,
  parseMode: string | undefined,
  given: Entity[] | undefined,
): FormattedText => {
  if (Buffer.byteLength(raw) > 1 << 15) throw badRequest('text is too long');
  const mode = parseMode?.toLowerCase() || undefined;
  if (mode !== undefined && mode !== 'html') {
    throw badRequest('unsupported parse_mode (the practice chat reads HTML and entities)');
  }
  const parsed = mode === 'html' ? parseHtml(raw) : { text: raw, entities: given ?? [] };
  for (const { type, url } of parsed.entities) {
    if (type === 'text_link') checkUrl(url ?? '', 'entity');
  }
  if (spoilerIsCut(parsed.entities)) {
    log.info('a spoiler lies over code: Telegram shows code openly, and so does the practice chat');
  }
  return fixFormattedText(parsed.text, parsed.entities);
};
