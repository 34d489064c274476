import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readCallBody } from '../bot-api/body.ts';
import { editAs, findChat, findMessage, findPerson, press, writeAs } from '../person-actions.ts';
import type { Practice } from '../practice.ts';
import { Refusal } from '../refusal.ts';
import type { Content } from '../state/model.ts';
import { messageView } from '../view.ts';
import { parse } from './parse.ts';

/** What people do in chats: writing, editing, sending things, pressing buttons. `from` is who does it. */

const id = z.coerce.number().int();
const place = z.object({ chat: id });
const messagePlace = z.object({ chat: id, message: id });

const writeBody = z.object({
  from: id.optional(),
  text: z.string().default(''),
  replyTo: id.optional(),
  sticker: z.object({ emoji: z.string().default('👋') }).optional(),
  contact: z.object({ phone: z.string(), firstName: z.string() }).optional(),
  location: z.object({ latitude: z.number(), longitude: z.number() }).optional(),
});

/** A 1×1 picture; a sticker is shown as its emoji. */
const stickerImage = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64');

export const registerMessageRoutes = (app: FastifyInstance, practice: Practice): void => {
  const contentOf = ({ sticker, contact, location }: z.output<typeof writeBody>): Content => {
    if (sticker) {
      const file = practice.files.add(stickerImage, 'sticker.webp');
      return { kind: 'sticker', emoji: sticker.emoji, file };
    }
    if (contact) return { kind: 'contact', ...contact };
    if (location) return { kind: 'location', ...location };
    return { kind: 'text' };
  };

  app.get('/practice/chats/:chat/messages', async (request) => {
    const chat = findChat(practice, parse(place, request.params).chat);
    return practice.world.messages(chat.id).map((message) => messageView(practice, message));
  });

  app.post('/practice/chats/:chat/messages', async (request) => {
    const chat = findChat(practice, parse(place, request.params).chat);
    const body = parse(writeBody, request.body);
    const person = findPerson(practice, body.from ?? chat.id);
    const sent = writeAs(practice, chat, person, {
      content: contentOf(body),
      text: body.text,
      replyToId: body.replyTo,
    });
    return sent.map((message) => messageView(practice, message));
  });

  /** Multipart: `file`, `kind` (photo or document), `from`, `caption`. */
  app.post('/practice/chats/:chat/files', async (request) => {
    const chat = findChat(practice, parse(place, request.params).chat);
    const { params, uploads } = await readCallBody(request);
    const upload = uploads.get('file');
    if (!upload) throw new Refusal(400, 'the field "file" is missing');
    const fields = z.object({
      kind: z.enum(['photo', 'document']),
      from: id.optional(),
      caption: z.string().default(''),
    });
    const { kind, from, caption } = parse(fields, params);
    const file =
      kind === 'photo'
        ? practice.files.addPhoto(upload.bytes, upload.name)
        : practice.files.add(upload.bytes, upload.name, upload.mimeType);
    const person = findPerson(practice, from ?? chat.id);
    const sent = writeAs(practice, chat, person, { content: { kind, file }, text: caption });
    return sent.map((message) => messageView(practice, message));
  });

  app.put('/practice/chats/:chat/messages/:message', async (request) => {
    const { chat, message } = parse(messagePlace, request.params);
    const { from, text } = parse(z.object({ from: id.optional(), text: z.string() }), request.body);
    const found = findMessage(practice, chat, message);
    const person = findPerson(practice, from ?? found.fromId);
    return messageView(practice, editAs(practice, found, person, text));
  });

  app.post('/practice/chats/:chat/messages/:message/press', async (request) => {
    const { chat, message } = parse(messagePlace, request.params);
    const body = parse(
      z.object({
        from: id.optional(),
        index: z.number().int().nonnegative().optional(),
        label: z.string().optional(),
        data: z.string().optional(),
      }),
      request.body,
    );
    const found = findMessage(practice, chat, message);
    return press(practice, found, findPerson(practice, body.from ?? chat), body);
  });

  /** Every state the message was in, as far as kept: when, and its text. */
  app.get('/practice/chats/:chat/messages/:message/revisions', async (request) => {
    const { chat, message } = parse(messagePlace, request.params);
    return findMessage(practice, chat, message).revisions;
  });

  app.get('/practice/files/:file', async (request, reply) => {
    const { file: fileId } = parse(z.object({ file: z.string() }), request.params);
    const file = practice.files.find(fileId);
    const bytes = practice.files.read(fileId);
    if (!file || !bytes) throw new Refusal(404, 'there is no such file any more');
    const inline = file.mimeType.startsWith('image/') && file.width !== undefined;
    const name = encodeURIComponent(file.name);
    return reply
      .type(inline ? file.mimeType : 'application/octet-stream')
      .header('content-disposition', inline ? 'inline' : `attachment; filename*=UTF-8''${name}`)
      .header('cache-control', 'private, max-age=86400, immutable')
      .send(bytes);
  });
};
