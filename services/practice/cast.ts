import type { Chat, Person } from './state/model.ts';

/** The people a fresh practice chat begins with. They have not written to the bot yet. */

const person = (id: number, firstName: string, username: string, note: string): Person => ({
  id,
  firstName,
  username,
  languageCode: 'en',
  note,
  started: false,
  blocked: false,
});

export const privateChat = ({ id }: Person): Chat => ({
  id,
  type: 'private',
  memberIds: [id],
  administratorIds: [],
});

/** The administrator gets the id that Berth is configured with; the others get ids beside it. */
export const defaultCast = (administratorId: number): { people: Person[]; chats: Chat[] } => {
  const free = [1001, 1002, 1003, 1004].filter((id) => id !== administratorId);
  const people = [
    person(administratorId, 'Ada', 'ada_admin', 'administrator'),
    person(free[0]!, 'Ben', 'ben_builds', 'user'),
    person(free[1]!, 'Chloé', 'chloe_codes', 'user'),
    person(free[2]!, 'Sam', 'sam_stranger', 'stranger'),
  ];
  const group: Chat = {
    id: -1001000000001,
    type: 'supergroup',
    title: 'Berth crew',
    memberIds: people.slice(0, 3).map(({ id }) => id),
    administratorIds: [administratorId],
  };
  return { people, chats: [...people.map(privateChat), group] };
};
