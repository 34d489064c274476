import type { Kysely } from 'kysely';
import type { Metadata } from '../../shared/event-store/schema.ts';
import { type ImageCommand, type ImageEvent, image, imageStream } from '../../shared/image/image.ts';
import { type LinkCommand, type LinkEvent, link, linkStream } from '../../shared/link/link.ts';
import { type PlanCommand, type PlanEvent, plan, planStream } from '../../shared/plan/plan.ts';
import type { Vault } from '../../shared/secrets/vault.ts';
import {
  type SettingsCommand,
  type SettingsEvent,
  settings,
  settingsStream,
} from '../../shared/settings/settings.ts';
import { type StrayCommand, type StrayEvent, strayStream, strays } from '../../shared/stray/stray.ts';
import { type User, type UserCommand, type UserEvent, user, userStream } from '../../shared/user/user.ts';
import type { VmCommand } from '../../shared/vm/commands.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';
import type { VmEvent } from '../../shared/vm/events.ts';
import type { Vm } from '../../shared/vm/vm.ts';
import type { BotEnv } from './env.ts';
import type { Content } from './format/rich-text.ts';
import type { KnownHosts } from './hosts.ts';
import type { Place } from './interpret.ts';
import type { Person } from './people.ts';
import type { Database } from './store/schema.ts';
import type { Store, Trx } from './store/store.ts';
import { post } from './telegram/messages.ts';
import type { View } from './view.ts';

/**
 * One update being answered. Everything a command does happens in one transaction: the update's id, the
 * events, their projections, what must reach Redis and what the chat will read. It commits or nothing happened.
 */

export type Db = Kysely<Database>;

export type BotConfig = Pick<
  BotEnv,
  'INSTANCE' | 'ADMIN_USER_ID' | 'HOST_ID' | 'SSH_PORT_RANGE' | 'SSH_PUBLIC_HOST' | 'EXEC_TIMEOUT'
>;

export type Conversation = {
  readonly trx: Trx;
  readonly config: BotConfig;
  readonly vault: Vault;
  readonly person: Person;
  readonly chat: Place;
  readonly updateId: number;
  /** Leads from the update to the last log line, and marks everything that one update began. */
  readonly correlationId: string;
  readonly now: Date;
  /** What workers told of their hosts lately. */
  readonly hosts: KnownHosts;
  /** Answers with a message of its own, delivered after the commit. */
  reply(content: Content): Promise<void>;
  /** The same for something rendered at every sending: live figures, secrets. Returns the message's key. */
  show(view: View, chatId?: number): Promise<string>;
  /** Replaces the message whose button was pressed; a command has none and gets an answer instead. */
  replace(content: Content): Promise<void>;
  /** The same for something rendered at every sending. */
  replaceView(view: View): Promise<void>;
  /** The short line that Telegram shows over the chat after a button; `alert` has to be dismissed. */
  toast(text: string, alert?: boolean): void;
  /** Telegram shows that somebody is typing, for a moment, while something short runs. */
  showTyping(): void;
  newId(): string;
  /** Asks the host for live figures of a VM that the message `key` shows; they are filled in when they come. */
  measure(vmId: string, key: string): void;
  /** Has the message `key` shown anew once the hosts have been asked how they are. */
  askHosts(key: string): void;
  /** The same once the person's host has tried whether it can give GPUs. */
  askForGpu(key: string): void;
  /** Takes the person's message out of the chat, where Telegram allows it. */
  deleteTheirMessage(): void;
  /** `chatId`: the chat that hears of the operation, where that is not the one that asks; null for none. */
  handleVm(
    vmId: string,
    command: VmCommand,
    options?: { chatId: number | null },
  ): Promise<{ state: Vm; events: VmEvent[] }>;
  handleUser(userId: number, command: UserCommand): Promise<{ state: User; events: UserEvent[] }>;
  handlePlan(planId: string, command: PlanCommand): Promise<PlanEvent[]>;
  handleSettings(command: SettingsCommand): Promise<SettingsEvent[]>;
  handleImage(host: string, command: ImageCommand): Promise<ImageEvent[]>;
  handleStrays(host: string, command: StrayCommand): Promise<StrayEvent[]>;
  handleLink(operationId: string, command: LinkCommand): Promise<LinkEvent[]>;
  /** Ends the terminals that are open on a VM. */
  closeTerminals(vmId: string): void;
};

export type Toast = { text: string; alert: boolean };

/** What is done once the transaction is committed; nothing of it has to survive a crash. */
export type Aftermath = {
  toast: Toast | null;
  typing: boolean;
  measurements: { vmId: string; key: string }[];
  /** Keys of messages that show how the hosts are, and whether they have GPUs. */
  overviews: string[];
  gpuProbes: string[];
  /** VMs whose terminals end. */
  closedTerminals: string[];
  deletion: { chatId: number; messageId: number } | null;
};

type Circumstances = {
  store: Store;
  trx: Trx;
  config: BotConfig;
  vault: Vault;
  person: Person;
  chat: Place;
  updateId: number;
  /** The message whose button was pressed. */
  pressedMessageId: number | null;
  /** The message that the person sent. */
  sentMessageId: number | null;
  now: Date;
  correlationId: string;
  hosts: KnownHosts;
  newId: () => string;
};

export const createConversation = (circumstances: Circumstances) => {
  const { store, trx, config, vault, person, chat, updateId, now, correlationId, newId, hosts } =
    circumstances;
  const metadata: Metadata = {
    actor: person.id,
    chat: chat.id,
    correlationId,
    causationId: `update-${updateId}`,
  };
  let answers = 0;
  const aftermath: Aftermath = {
    toast: null,
    typing: false,
    measurements: [],
    overviews: [],
    gpuProbes: [],
    closedTerminals: [],
    deletion: null,
  };

  const show = async (view: View, chatId = chat.id): Promise<string> => {
    const key = `update:${updateId}:${answers}`;
    answers += 1;
    await post(trx, { key, chatId, view });
    return key;
  };

  const replaceView = async (view: View): Promise<void> => {
    const pressed =
      circumstances.pressedMessageId === null
        ? undefined
        : await trx
            .selectFrom('messages')
            .select('key')
            .where('chat_id', '=', chat.id)
            .where('message_id', '=', circumstances.pressedMessageId)
            .executeTakeFirst();
    if (pressed === undefined) await show(view);
    else await post(trx, { key: pressed.key, chatId: chat.id, view });
  };

  const conversation: Conversation = {
    trx,
    config,
    vault,
    person,
    chat,
    updateId,
    correlationId,
    now,
    hosts,
    newId,
    show,
    replaceView,
    replace: (content) => replaceView({ kind: 'content', content }),
    reply: async (content) => {
      await show({ kind: 'content', content });
    },
    toast: (text, alert = false) => {
      aftermath.toast = { text, alert };
    },
    showTyping: () => {
      aftermath.typing = true;
    },
    measure: (vmId, key) => {
      aftermath.measurements.push({ vmId, key });
    },
    askHosts: (key) => {
      aftermath.overviews.push(key);
    },
    askForGpu: (key) => {
      aftermath.gpuProbes.push(key);
    },
    deleteTheirMessage: () => {
      const { sentMessageId: messageId } = circumstances;
      if (messageId !== null) aftermath.deletion = { chatId: chat.id, messageId };
    },
    handleVm: (vmId, command, { chatId }: { chatId: number | null } = { chatId: chat.id }) =>
      store.handle(trx, vm, vmStream(vmId), command, { ...metadata, chat: chatId }),
    handleUser: (userId, command) => store.handle(trx, user, userStream(userId), command, metadata),
    handlePlan: async (planId, command) =>
      (await store.handle(trx, plan, planStream(planId), command, metadata)).events,
    handleSettings: async (command) =>
      (await store.handle(trx, settings, settingsStream, command, metadata)).events,
    handleLink: async (operationId, command) =>
      (await store.handle(trx, link, linkStream(operationId), command, metadata)).events,
    handleStrays: async (host, command) =>
      (await store.handle(trx, strays, strayStream(host), command, metadata)).events,
    closeTerminals: (vmId) => {
      aftermath.closedTerminals.push(vmId);
    },
    handleImage: async (host, command) =>
      (await store.handle(trx, image, imageStream(host), command, metadata)).events,
  };
  return { conversation, aftermath };
};
