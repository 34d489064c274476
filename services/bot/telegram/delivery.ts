import type { Button, Content } from '../format/rich-text.ts';
import type { Api } from './client.ts';

/** One content, one or two calls. Each throws what the call throws. */

const keyboard = (buttons: Button[][]) => ({
  inline_keyboard: buttons.map((row) =>
    row.map((button) =>
      'url' in button
        ? { text: button.text, url: button.url }
        : { text: button.text, callback_data: button.data },
    ),
  ),
});

type Target = { chatId: number; messageId: number | null; replyTo: number | null };
type Sent = { message_id: number };

/** Sends a new message, or edits the one that is there; gives its id. */
export const deliverText = async (
  api: Api,
  { chatId, messageId, replyTo }: Target,
  { text, entities, buttons }: Content,
): Promise<number> => {
  const content = {
    chat_id: chatId,
    text,
    entities,
    reply_markup: keyboard(buttons),
    link_preview_options: { is_disabled: true },
  };
  if (messageId !== null) {
    await api.call('editMessageText', { ...content, message_id: messageId });
    return messageId;
  }
  const reply =
    replyTo === null ? {} : { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } };
  const { message_id } = await api.call<Sent>('sendMessage', { ...content, ...reply });
  return message_id;
};

/** The file that belongs to a message follows it. */
export const deliverDocument = async (
  api: Api,
  { chatId, messageId }: { chatId: number; messageId: number },
  document: NonNullable<Content['document']>,
): Promise<void> => {
  await api.call(
    'sendDocument',
    {
      chat_id: chatId,
      document: { source: document.bytes, filename: document.filename },
      caption: document.caption.slice(0, 1_024),
      caption_entities: JSON.stringify(document.captionEntities),
      reply_to_message_id: messageId,
      allow_sending_without_reply: true,
    },
    { deadline: 60_000 },
  );
};
