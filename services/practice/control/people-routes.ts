import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { commandsFor } from '../bot-api/commands.ts';
import {
  addPerson,
  createGroup,
  deleteHistory,
  findChat,
  findPerson,
  setBlocked,
} from '../person-actions.ts';
import type { Practice } from '../practice.ts';
import { chatView } from '../view.ts';
import { parse } from './parse.ts';

/** People and groups: listing, adding, blocking the bot. */

const id = z.coerce.number().int();
const personBody = z.object({
  id: z.number().int().positive().optional(),
  firstName: z.string().min(1).max(64),
  lastName: z.string().max(64).optional(),
  username: z
    .string()
    .regex(/^\w{3,32}$/)
    .optional(),
  languageCode: z.string().default('en'),
  note: z.string().max(40).default('guest'),
});
const groupBody = z.object({
  id: z.number().int().negative().optional(),
  title: z.string().min(1).max(128),
  members: z.array(z.number().int()).min(1),
  administrators: z.array(z.number().int()).default([]),
});

export const registerPeopleRoutes = (app: FastifyInstance, practice: Practice): void => {
  const { world } = practice;

  app.get('/practice/people', async () => world.people());

  app.post('/practice/people', async (request) => {
    const { id: wanted, ...person } = parse(personBody, request.body);
    const next = Math.max(1000, ...world.people().map((known) => known.id)) + 1;
    return addPerson(practice, { ...person, id: wanted ?? next });
  });

  app.post('/practice/groups', async (request) => {
    const body = parse(groupBody, request.body);
    const next = Math.min(-1001000000000, ...world.chats().map((known) => known.id)) - 1;
    const { title, members, administrators } = body;
    const memberIds = [...new Set([...members, ...administrators])];
    const group = createGroup(practice, {
      id: body.id ?? next,
      title,
      memberIds,
      administratorIds: administrators,
    });
    return chatView(practice, group);
  });

  app.post('/practice/people/:id/block', async (request) => {
    const person = findPerson(practice, parse(z.object({ id }), request.params).id);
    const { blocked } = parse(z.object({ blocked: z.boolean() }), request.body);
    setBlocked(practice, person, blocked);
    return person;
  });

  app.delete('/practice/chats/:id/history', async (request) => {
    deleteHistory(practice, findChat(practice, parse(z.object({ id }), request.params).id));
    return { ok: true };
  });

  app.get('/practice/chats/:id/commands', async (request) => {
    const chat = findChat(practice, parse(z.object({ id }), request.params).id);
    const { person } = parse(z.object({ person: id }), request.query);
    return commandsFor(practice, chat, findPerson(practice, person));
  });
};
