import { z } from 'zod';
import { badRequest } from '../refusal.ts';
import type { Button } from '../state/model.ts';
import { checkUrl, json } from './parameters.ts';

/** Buttons under a message. Keyboards that replace the phone's own are accepted and not shown. */

const button = z.looseObject({
  text: z.string({ error: `can't parse inline keyboard button: Field "text" must be of type String` }),
  callback_data: z.string().optional(),
  url: z.string().optional(),
  copy_text: z.object({ text: z.string().min(1).max(256) }).optional(),
});

const inlineKeyboard = z.array(
  z.array(button, { error: "can't parse inline keyboard button: InlineKeyboardButton must be an Object" }),
  { error: 'object expected as reply markup' },
);

export const replyMarkup = json(
  z.looseObject({ inline_keyboard: inlineKeyboard.optional() }, { error: 'object expected as reply markup' }),
).optional();

const maxButtons = 100;

const checkButton = ({ text, callback_data, url, copy_text }: Button): Button => {
  if (text.trim() === '') {
    throw badRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard");
  }
  const actions = [callback_data, url, copy_text].filter((action) => action !== undefined);
  if (actions.length === 0) {
    throw badRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard");
  }
  if (actions.length > 1) throw badRequest('BUTTON_TYPE_INVALID');
  if (callback_data !== undefined) {
    const bytes = Buffer.byteLength(callback_data);
    if (bytes < 1 || bytes > 64) throw badRequest('BUTTON_DATA_INVALID');
  }
  if (url !== undefined) checkUrl(url, 'inline keyboard button');
  return { text, callback_data, url, copy_text };
};

/** The rows of an inline keyboard; none for other markup. Throws Telegram's refusals. */
export const readButtons = (markup: z.output<typeof replyMarkup>): Button[][] => {
  const rows = (markup?.inline_keyboard ?? []).filter((row) => row.length > 0);
  if (rows.flat().length > maxButtons) throw badRequest('REPLY_MARKUP_TOO_LONG');
  return rows.map((row) => row.map(checkButton));
};
