import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Engine } from './engine.ts';
import { engineStart } from './engine-start.ts';

/** What Docker tells by itself of the VMs of an instance, as a stream of JSON lines that ends only with Docker. */

export type VmEvent = {
  kind: 'died' | 'removed' | 'out-of-memory';
  vmId: string;
  containerId: string;
  /** Docker's time in nanoseconds since 1970, as exact as a number can be: the same for all who hear of it. */
  timeNano: number;
};

export type EventListener = {
  /** Docker is there and tells from now on. */
  onOpen: () => void;
  onEvent: (event: VmEvent) => void;
};

/** Milliseconds between two looks whether the engine that tells nothing still lives, and for its answer. */
export type Pulse = { every: number; deadline: number };
const usualPulse: Pulse = { every: 5_000, deadline: 5_000 };

const openDeadline = 10_000;
const keepAliveAfter = 10_000;

const line = z.object({
  Action: z.enum(['die', 'destroy', 'oom']),
  Actor: z.object({ ID: z.string(), Attributes: z.object({ 'berth.vm': z.string() }) }),
  timeNano: z.number(),
});

/** `destroy` comes when a container is gone; at the `die` of one that is being removed it is still there. */
const kinds = { die: 'died', destroy: 'removed', oom: 'out-of-memory' } as const;

/** Undefined for what is not of a VM, or no event. */
export const readEvent = (text: string): VmEvent | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // a proxy's remark or a line cut off: the bot looks at all VMs after every reconnection
  }
  const { data } = line.safeParse(value);
  if (data === undefined) return undefined;
  const { ID: containerId, Attributes } = data.Actor;
  return { kind: kinds[data.Action], vmId: Attributes['berth.vm'], containerId, timeNano: data.timeNano };
};

/** A function to feed with what arrives; a piece may end in the middle of a line or a character. */
export const createLineReader = (onLine: (text: string) => void) => {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (piece: Buffer): void => {
    const lines = (rest + decoder.write(piece)).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) onLine(text);
  };
};

/** Rejects once the engine does not answer, or is another one than at first: the old stream may never say so. */
const watchPulse = async (
  engine: Engine,
  { every, deadline }: Pulse,
  signal: AbortSignal,
): Promise<never> => {
  const start = await engineStart(engine, { deadline, signal });
  for (;;) {
    await sleep(every, undefined, { signal });
    if ((await engineStart(engine, { deadline, signal })) !== start) throw new Error('Docker began anew');
  }
};

/**
 * Follows the events of the instance's VMs until the stream ends or the engine falls silent; then rejects. Rejects with
 * the signal's reason at its abort.
 */
export const followEvents = async (
  engine: Engine,
  instance: string,
  { onOpen, onEvent }: EventListener,
  signal: AbortSignal,
  pulse = usualPulse,
): Promise<never> => {
  const label = [`berth.instance=${instance}`];
  const filters = { type: ['container' as const], event: ['die', 'destroy', 'oom'], label };
  const stream = (await engine.call(
    'following events',
    (docker, abortSignal) => {
      const order = { filters, abortSignal }; // dockerode knows the second, its types do not
      return docker.getEvents(order);
    },
    { deadline: openDeadline, signal },
  )) as IncomingMessage;
  const leaving = new AbortController();
  try {
    stream.socket?.setKeepAlive(true, keepAliveAfter); // a connection that a network forgot ends by this
    const reader = createLineReader((text) => {
      const event = readEvent(text);
      if (event !== undefined) onEvent(event);
    });
    stream.on('data', reader);
    const ended = new Promise<never>((_, reject) => {
      stream.once('error', reject);
      stream.once('close', () => reject(new Error('the stream of events ended')));
    });
    const beating = watchPulse(engine, pulse, AbortSignal.any([signal, leaving.signal]));
    onOpen();
    return await Promise.race([ended, beating]);
  } finally {
    leaving.abort();
    stream.destroy();
  }
};
