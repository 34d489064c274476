import type Docker from 'dockerode';
import { Kysely } from 'kysely';
import { ImmediateSqliteDialect, openSqlite } from '../../services/bot/store/dialect.ts';
import type {
  Database,
  MessageRow,
  OperationRow,
  OutboxRow,
  UpdateRow,
  VmRow,
} from '../../services/bot/store/schema.ts';
import { databasePath } from '../../services/bot/store/store.ts';
import { upcasters } from '../../services/bot/store/upcasters.ts';
import { readAll } from '../../shared/event-store/append.ts';
import type { Event } from '../../shared/event-store/schema.ts';
import type { VmEvent } from '../../shared/vm/events.ts';
import type { ChatMessage } from '../support/practice-client.ts';
import type { ContainerEvent } from './container-watch.ts';
import { markPattern } from './people.ts';
import type { Slot, Struck } from './slots.ts';

/** What a run has left behind, put together for those who judge it. */

export type Stored = {
  events: Event[];
  vms: VmRow[];
  operations: OperationRow[];
  /** In the order in which they were written. */
  messages: MessageRow[];
  outbox: OutboxRow[];
  updates: UpdateRow[];
};

export type OurContainer = { id: string; vmId: string; running: boolean };
export type OnHost = { containers: OurContainer[]; volumes: { name: string; vmId: string }[] };

export type Evidence = {
  stored: Stored;
  host: OnHost;
  containerEvents: ContainerEvent[];
  chats: Map<number, ChatMessage[]>;
  /** What each VM that is still there has noted of the commands that ran in it. */
  marks: Map<string, string[]>;
  slots: readonly Slot[];
  struck: Struck[];
  /** Updates that the chat holds for the bot still, and all that it ever had. */
  updates: { pending: number[]; sent: number[] };
  /** How often Docker itself was restarted, and how often a call to Telegram took effect without an answer. */
  engineRestarts: number;
  /** How often Telegram has refused a message for good. */
  refusals: number;
  lostAnswers: number;
};

export const isVm = (event: Event): event is Event<VmEvent> => event.stream.startsWith('vm-');

/** One moment of the database, whether the bot runs or not. */
export const readStored = async (dataDir: string): Promise<Stored> => {
  const database = openSqlite(databasePath(dataDir), { readonly: true });
  const db = new Kysely<Database>({ dialect: new ImmediateSqliteDialect(database) });
  try {
    database.exec('begin');
    return {
      events: await readAll(db as never, 0, 1_000_000, upcasters),
      vms: await db.selectFrom('vms').selectAll().execute(),
      operations: await db.selectFrom('operations').selectAll().execute(),
      messages: await db
        .selectFrom('messages')
        .selectAll()
        .orderBy('rowid' as never)
        .execute(),
      outbox: await db.selectFrom('outbox').selectAll().execute(),
      updates: await db.selectFrom('updates').selectAll().execute(),
    };
  } finally {
    await db.destroy();
  }
};

export const readHost = async (docker: Docker, instance: string): Promise<OnHost> => {
  const filters = { label: [`berth.instance=${instance}`] };
  const [containers, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
  ]);
  return {
    containers: containers
      .filter(({ Labels }) => Labels['berth.vm'] !== undefined)
      .map(({ Id, Labels, State }) => ({ id: Id, vmId: Labels['berth.vm']!, running: State === 'running' })),
    volumes: (volumes ?? []).map(({ Name, Labels }) => ({ name: Name, vmId: Labels['berth.vm'] ?? '' })),
  };
};

/** Each mark as often as it stands there; from the file itself, so that a stopped VM tells as well. */
export const readMarks = async (docker: Docker, containerId: string): Promise<string[]> => {
  try {
    const archive = await docker.getContainer(containerId).getArchive({ path: '/home/dev/ran' });
    const pieces: Buffer[] = [];
    for await (const piece of archive) pieces.push(piece as Buffer);
    return Buffer.concat(pieces).toString('latin1').match(markPattern) ?? [];
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return [];
    throw error;
  }
};
