import type { Redis } from 'ioredis';
import { redisNow } from '../../../queues/lately.ts';
import {
  findRevocation,
  findSession,
  forgetTerminal,
  noteTerminal,
  type Revocation,
  revocation,
  revocationChannel,
  type TerminalGrant,
} from '../../../queues/tickets.ts';
import type { Log } from '../../../shared/log.ts';
import { closing, type Relay } from './relay.ts';

/**
 * The terminals that are open here. Revocations are heard of at once, and looked for as well every two seconds: nobody
 * keeps what was said while this gateway was not listening.
 */

export type OpenTerminal = {
  id: string;
  token: string;
  session: string;
  window: string;
  grant: TerminalGrant;
  since: string;
  relay: Relay;
};

export type OpenTerminalsOptions = { redis: Redis; subscriber: Redis; instance: string; log: Log };

/** Milliseconds. */
const lookEvery = 2_000;
const noteEvery = 10_000;
export const mostWindows = 10;

const concerns = ({ vmId, userId, at }: Revocation, { grant }: OpenTerminal): boolean =>
  (vmId === grant.vmId || userId === grant.userId) && at >= grant.grantedAt;

const readRevocation = (text: string): Revocation | undefined => {
  try {
    return revocation.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // nobody of ours said that
  }
};

export const createOpenTerminals = ({ redis, subscriber, instance, log }: OpenTerminalsOptions) => {
  const open = new Map<string, OpenTerminal>();

  const note = async ({ id, grant, since }: OpenTerminal) =>
    noteTerminal(redis, instance, id, {
      vmId: grant.vmId,
      userId: grant.userId,
      since,
      at: new Date(await redisNow(redis)).toISOString(),
    });
  const look = async (terminal: OpenTerminal): Promise<void> => {
    const revoked = await findRevocation(redis, instance, terminal.grant);
    if (revoked !== null) return terminal.relay.end(revoked.reason);
    const session = await findSession(redis, instance, terminal.token);
    if (session === null) terminal.relay.end('session-over');
  };
  /** For each of them; a Redis that is away is asked again at the next beat, and says so itself. */
  const beat = (every: number, act: (terminal: OpenTerminal) => Promise<unknown>) =>
    setInterval(() => {
      for (const terminal of open.values())
        act(terminal).catch((err: unknown) =>
          log.debug({ err }, 'an open terminal could not be looked after'),
        );
    }, every);
  const looking = beat(lookEvery, look);
  const noting = beat(noteEvery, note);

  const listen = (_channel: string, text: string): void => {
    const said = readRevocation(text);
    if (said === undefined) return;
    for (const terminal of open.values()) if (concerns(said, terminal)) terminal.relay.end(said.reason);
  };
  subscriber.on('message', listen);
  subscriber
    .subscribe(revocationChannel(instance))
    .catch((err: unknown) => log.debug({ err }, 'revocations are only looked for'));

  return {
    /** A page that comes back takes the place of its own lost connection. */
    replace(session: string, window: string): void {
      for (const terminal of open.values())
        if (terminal.session === session && terminal.window === window) terminal.relay.drop(closing.replaced);
    },
    /** How many windows a session has besides this one, whose own lost connection may still be here. */
    windowsBeside: (session: string, window: string): number =>
      new Set(
        [...open.values()]
          .filter((one) => one.session === session && one.window !== window)
          .map((one) => one.window),
      ).size,
    count: () => open.size,
    add(terminal: OpenTerminal): void {
      open.set(terminal.id, terminal);
      note(terminal).catch((err: unknown) => log.debug({ err }, 'a terminal was not noted'));
    },
    remove(id: string): void {
      if (!open.delete(id)) return;
      forgetTerminal(redis, instance, id).catch((err: unknown) =>
        log.debug({ err }, 'it falls silent instead'),
      );
    },
    /** The pages come back to whoever is here next. */
    close(): void {
      clearInterval(looking);
      clearInterval(noting);
      for (const { relay } of open.values()) relay.drop(1001);
    },
  };
};
export type OpenTerminals = ReturnType<typeof createOpenTerminals>;
