import { type Button, type Content, type Document, FmtString, truncate } from '../format/rich-text.ts';
import type { Api } from './client.ts';
import { readRefusal } from './refusals.ts';

/**
 * One content becomes calls. Formatting or buttons that Telegram refuses are left away, so that the words arrive;
 * otherwise each function throws what the call throws.
 */

export type Calls = Pick<Api, 'call'>;
type Target = { chatId: number; messageId: number | null; replyTo: number | null };
type Sent = { message_id: number };

const longestCaption = 1_024;

const keyboard = (buttons: Button[][]) => ({
  inline_keyboard: buttons.map((row) =>
    row.map((button) =>
      'url' in button
        ? { text: button.text, url: button.url }
        : { text: button.text, callback_data: button.data },
    ),
  ),
});

const replyingTo = (messageId: number) => ({ message_id: messageId, allow_sending_without_reply: true });

/** Without what the refusal is about; null when it is about something else, or nothing of it is left. */
const simplify = <T extends Pick<Content, 'entities' | 'buttons'>>(content: T, error: unknown): T | null => {
  const { kind } = readRefusal(error);
  if (kind === 'bad-formatting' && content.entities.length > 0) return { ...content, entities: [] };
  if (kind === 'bad-buttons' && content.buttons.length > 0) return { ...content, buttons: [] };
  return null;
};

/** Sends a new message, or edits the one that is there; gives its id. */
export const deliverText = async (
  calls: Calls,
  target: Target,
  content: Content,
  onSimplified: (error: unknown) => void,
): Promise<number> => {
  const { chatId, messageId, replyTo } = target;
  const payload = {
    chat_id: chatId,
    text: content.text,
    entities: content.entities,
    reply_markup: keyboard(content.buttons),
    link_preview_options: { is_disabled: true },
  };
  try {
    if (messageId !== null) {
      await calls.call('editMessageText', { ...payload, message_id: messageId });
      return messageId;
    }
    const reply = replyTo === null ? {} : { reply_parameters: replyingTo(replyTo) };
    return (await calls.call<Sent>('sendMessage', { ...payload, ...reply })).message_id;
  } catch (error) {
    const simpler = simplify(content, error);
    if (simpler === null) throw error;
    onSimplified(error);
    return deliverText(calls, target, simpler, onSimplified);
  }
};

/** The file that belongs to a message follows it. */
export const deliverDocument = async (
  calls: Calls,
  target: { chatId: number; messageId: number },
  document: Document,
  onSimplified: (error: unknown) => void,
): Promise<void> => {
  const caption = truncate(new FmtString(document.caption, document.captionEntities), longestCaption);
  const entities = caption.entities ?? [];
  try {
    await calls.call(
      'sendDocument',
      {
        chat_id: target.chatId,
        document: { source: document.bytes, filename: document.filename },
        caption: caption.text,
        // Sent as a form, whose fields are texts.
        caption_entities: JSON.stringify(entities),
        reply_parameters: JSON.stringify(replyingTo(target.messageId)),
      },
      { deadline: 60_000 },
    );
  } catch (error) {
    const simpler = simplify({ entities, buttons: [] }, error);
    if (simpler === null) throw error;
    onSimplified(error);
    await deliverDocument(calls, target, { ...document, captionEntities: simpler.entities }, onSimplified);
  }
};
