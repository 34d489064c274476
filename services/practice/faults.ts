import { nanoid } from 'nanoid';
import { z } from 'zod';
import { forbidden, Refusal } from './refusal.ts';

/**
 * Faults a test or a curious person asks for: the next calls that match are not answered as usual. `done`
 * says whether the call takes effect before it goes wrong, which is what makes real outages interesting.
 */

const match = {
  /** A Bot API method; every method where it is missing. */
  method: z.string().optional(),
  chatId: z.number().int().optional(),
  /** How many calls it strikes; until it is cleared where it is missing. */
  times: z.number().int().positive().optional(),
  done: z.boolean().default(false),
};

export const faultRequest = z.discriminatedUnion('kind', [
  z.object({ ...match, kind: z.literal('too-many-requests'), retryAfter: z.number().int().positive() }),
  z.object({
    ...match,
    kind: z.literal('server-error'),
    status: z.number().int().min(500).max(599).default(502),
  }),
  /** Accepts the call and never answers it. */
  z.object({ ...match, kind: z.literal('silence') }),
  /** Closes the connection without an answer. */
  z.object({ ...match, kind: z.literal('drop') }),
  /** As if the person had blocked the bot. */
  z.object({ ...match, kind: z.literal('blocked') }),
  z.object({
    ...match,
    kind: z.literal('refuse'),
    code: z.number().int().min(400).max(499).default(400),
    description: z.string(),
  }),
]);

export type FaultRequest = z.input<typeof faultRequest>;
export type Fault = z.output<typeof faultRequest> & { id: string; struck: number };

export type FaultList = {
  add(request: z.output<typeof faultRequest>): Fault;
  list(): Fault[];
  /** Ends one fault, or all. Returns how many there were. */
  clear(id?: string): number;
  /** The fault that strikes this call, which counts as one of its times. */
  strike(method: string, chatId: number | undefined): Fault | undefined;
};

export const createFaultList = (): FaultList => {
  const faults = new Map<string, Fault>();
  const matches = (fault: Fault, method: string, chatId: number | undefined) =>
    (fault.method === undefined || fault.method.toLowerCase() === method.toLowerCase()) &&
    (fault.chatId === undefined || fault.chatId === chatId);

  return {
    add: (request) => {
      const fault = { ...request, id: nanoid(8), struck: 0 };
      faults.set(fault.id, fault);
      return fault;
    },
    list: () => [...faults.values()],
    clear: (id) => {
      if (id !== undefined) return faults.delete(id) ? 1 : 0;
      const count = faults.size;
      faults.clear();
      return count;
    },
    strike: (method, chatId) => {
      const fault = [...faults.values()].find((candidate) => matches(candidate, method, chatId));
      if (!fault) return undefined;
      fault.struck++;
      if (fault.times !== undefined && fault.struck >= fault.times) faults.delete(fault.id);
      return fault;
    },
  };
};

/** The answer a fault gives; undefined for the kinds that give none. */
export const faultRefusal = (fault: Fault): Refusal | undefined => {
  switch (fault.kind) {
    case 'too-many-requests': {
      const { retryAfter } = fault;
      return new Refusal(429, `Too Many Requests: retry after ${retryAfter}`, { retry_after: retryAfter });
    }
    case 'server-error':
      return new Refusal(fault.status, fault.status === 500 ? 'Internal Server Error' : 'Bad Gateway');
    case 'blocked':
      return forbidden('bot was blocked by the user');
    case 'refuse':
      return new Refusal(fault.code, fault.description);
    case 'silence':
    case 'drop':
      return undefined;
  }
};
