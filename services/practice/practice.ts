import type { Log } from '../../shared/log.ts';
import { type CallLog, createCallLog } from './call-log.ts';
import { type CallbackQueries, createCallbackQueries } from './callbacks.ts';
import { defaultCast } from './cast.ts';
import { createEventStream, type EventStream } from './events.ts';
import { createFaultList, type FaultList } from './faults.ts';
import { type Counters, createCounters } from './state/counters.ts';
import { createFileStore, type FileStore } from './state/file-store.ts';
import type { Content, SavedState, StoredFile } from './state/model.ts';
import { openStateFile, readState, type StateFile } from './state/state-file.ts';
import { createUpdateQueue, type UpdateQueue } from './updates.ts';
import { createWorld, type World } from './world.ts';

/** Everything one practice chat consists of. Handlers receive it whole. */
export type Practice = {
  log: Log;
  token: string;
  bot: BotIdentity;
  world: World;
  counters: Counters;
  files: FileStore;
  updates: UpdateQueue;
  callbacks: CallbackQueries;
  faults: FaultList;
  calls: CallLog;
  events: EventStream;
  /** Says that something worth keeping changed. */
  changed(): void;
  close(): void;
};

export type BotIdentity = {
  id: number;
  is_bot: true;
  first_name: string;
  username: string;
  can_join_groups: true;
  can_read_all_group_messages: false;
  supports_inline_queries: false;
};

export type PracticeOptions = {
  log: Log;
  /** `<bot id>:<anything>`, as Telegram's tokens look. */
  token: string;
  administratorId: number;
  /** The URL by which the bot may call it besides loopback. */
  nameForBot?: string | undefined;
  /** Keeps the chats over restarts; in memory without it. */
  stateFile?: string | undefined;
};

const fileOf = (content: Content): StoredFile[] => ('file' in content ? [content.file] : []);

const freshState = (administratorId: number): SavedState => ({
  version: 1,
  counters: { updateId: 0, messageId: 0 },
  botTexts: {},
  ...defaultCast(administratorId),
  messages: [],
  commands: [],
  updates: [],
  allowedUpdates: [],
});

export const createPractice = ({ log, token, administratorId, stateFile }: PracticeOptions): Practice => {
  const saved = stateFile === undefined ? undefined : readState(stateFile, log);
  const state = saved ?? freshState(administratorId);
  const world = createWorld(state);
  if (!world.person(administratorId)) {
    const { people, chats } = defaultCast(administratorId);
    world.addPerson(people[0]!);
    world.addChat(chats[0]!);
  }
  // The configuration may name somebody else than at the last start.
  for (const person of world.people()) {
    if (person.id === administratorId) person.note = 'administrator';
    else if (person.note === 'administrator') person.note = 'user';
  }

  let file: StateFile | undefined;
  const changed = () => file?.schedule();
  const counters = createCounters(saved?.counters, () => file?.write());
  const events = createEventStream();
  const updates = createUpdateQueue({
    takeId: counters.takeUpdateId,
    pending: state.updates,
    allowed: state.allowedUpdates,
    changed,
  });

  const current = (): SavedState => ({
    version: 1,
    counters: counters.reserved(),
    botTexts: Object.fromEntries(world.botTexts),
    people: world.people(),
    chats: world.chats(),
    messages: world.chats().flatMap(({ id }) => world.messages(id)),
    commands: world.commandLists(),
    updates: updates.pending(),
    allowedUpdates: updates.allowed(),
  });
  if (stateFile !== undefined) file = openStateFile(stateFile, current, log);

  return {
    log,
    token,
    bot: {
      id: Number(token.split(':')[0]),
      is_bot: true,
      first_name: 'Berth',
      username: 'berth_practice_bot',
      can_join_groups: true,
      can_read_all_group_messages: false,
      supports_inline_queries: false,
    },
    world,
    counters,
    files: createFileStore(
      stateFile === undefined ? undefined : `${stateFile}.files`,
      state.messages.flatMap(({ content }) => fileOf(content)),
    ),
    updates,
    callbacks: createCallbackQueries(events),
    faults: createFaultList(),
    calls: createCallLog(),
    events,
    changed,
    close: () => {
      updates.close();
      file?.close();
    },
  };
};
