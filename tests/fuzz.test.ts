import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Update } from 'telegraf/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog, progress, report } from '../queues/catalog.ts';
import { hint } from '../queues/hints.ts';
import { createSeal, openFields, UnreadableError } from '../queues/seal.ts';
import { grant, revocation } from '../queues/tickets.ts';
import { findAction } from '../services/bot/buttons/index.ts';
import { decodeCallback } from '../services/bot/callback-data.ts';
import { readArguments, UsageError } from '../services/bot/commands/command.ts';
import { commands } from '../services/bot/commands/index.ts';
import { botEnv } from '../services/bot/env.ts';
import { interpret } from '../services/bot/interpret.ts';
import { administratorId, type BareBot, openBareBot } from '../services/bot/testing/bare-bot.ts';
import { parseGatewayEnv } from '../services/gateway/env.ts';
import { parsePracticeEnv } from '../services/practice/env.ts';
import { parseWorkerEnv } from '../services/worker/env.ts';
import { EnvError, parseEnv } from '../shared/env.ts';
import { toPage } from '../shared/terminal/protocol.ts';

/**
 * Whatever comes from outside is answered or refused, and never ends anything. fast-check prints the seed of a failure;
 * `FUZZ_SEED=… npx vitest run tests/fuzz.test.ts` repeats it.
 */

let cases = 0;
const seed = process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) };
const options = (numRuns: number) => ({ numRuns, ...seed });

/** A property that counts its cases. */
const check = <T>(numRuns: number, arbitrary: fc.Arbitrary<T>, holds: (value: T) => void): void =>
  fc.assert(
    fc.property(arbitrary, (value) => {
      cases += 1;
      holds(value);
    }),
    options(numRuns),
  );

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => void process.off('unhandledRejection', note));

/** Texts that have broken programs: controls, halves of pairs, right to left, what looks like a command or a format. */
const nasty = fc.constantFrom(
  '\0',
  '\ud800',
  '\udc00x',
  '\u202e/stop',
  '{"a":1}',
  '%s%n',
  "'; drop table vms; --",
  '$(reboot)',
  '__proto__',
  'constructor',
  '\u{1f4a5}'.repeat(50),
  '-1',
  '1e400',
  'NaN',
  'x'.repeat(5_000),
  '/exec '.repeat(700),
);
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string(), nasty);
const names = commands.map(({ name }) => name);
const commandText = fc.oneof(
  text,
  fc.tuple(fc.constantFrom(...names), text).map(([name, argument]) => `/${name} ${argument}`),
  fc.tuple(fc.constantFrom(...names), text, text).map(([name, one, other]) => `/${name}@${one} ${other}`),
);
const actions = [
  'vm',
  'stop',
  'start',
  'restart',
  'status',
  'destroy',
  'allow',
  'refuse',
  'cancel',
  'exec-on',
  'x',
];
const callbackData = fc.oneof(
  text,
  fc
    .tuple(fc.constantFrom(...actions), fc.array(text, { maxLength: 6 }))
    .map(([action, rest]) => [action, ...rest].join(':')),
);
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -1, 2 ** 53, -(2 ** 53), Number.MAX_VALUE, administratorId, 7_001, 7_002),
);
/** Now and then a value of quite another kind. */
const or = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary, weight: 9 }, { arbitrary: fc.jsonValue() as fc.Arbitrary<unknown>, weight: 1 });
const person = fc.record(
  { id: or(number), is_bot: or(fc.constant(false)), first_name: or(text), username: or(text) },
  { requiredKeys: ['id'] },
);
const place = fc.record(
  { id: or(number), type: or(fc.constantFrom('private', 'group', 'supergroup', 'channel', 'odd')) },
  { requiredKeys: ['id', 'type'] },
);
const entity = fc.record({ type: or(text), offset: or(number), length: or(number), user: or(person) });
const { message } = fc.letrec((tie) => ({
  message: fc.record(
    {
      message_id: or(number),
      date: or(number),
      from: or(person),
      chat: or(place),
      text: or(commandText),
      caption: or(text),
      entities: or(fc.array(entity, { maxLength: 4 })),
      document: or(fc.record({ file_name: or(text), file_size: or(number) })),
      pinned_message: or(fc.option(tie('message'), { depthSize: 'small' })),
      reply_to_message: or(fc.option(tie('message'), { depthSize: 'small' })),
    },
    { requiredKeys: ['message_id', 'from', 'chat', 'text'] },
  ),
}));
const update = fc.oneof(
  { weight: 6, arbitrary: fc.record({ message: or(message) }) },
  { weight: 1, arbitrary: fc.record({ edited_message: or(message) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      callback_query: or(
        fc.record({ id: or(text), from: or(person), data: or(callbackData), message: or(message) }),
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      my_chat_member: or(
        fc.record({ chat: or(place), new_chat_member: or(fc.record({ status: or(text) })) }),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.dictionary(text, fc.jsonValue()) },
);

describe('fuzz', { timeout: 120_000 }, () => {
  it('arguments of every command are read, or refused with a sentence', () => {
    check(6_000, fc.tuple(fc.constantFrom(...commands), text), ([command, argument]) => {
      try {
        readArguments(command, argument);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        expect((error as Error).message).not.toBe('');
      }
    });
  });

  it('what a button says is understood, or leads nowhere', () => {
    check(3_000, callbackData, (data) => {
      const { action, args } = decodeCallback(data);
      expect([action, ...args].join(':')).toBe(data);
      expect(['undefined', 'object']).toContain(typeof findAction(action));
    });
  });

  it('an update is one of the kinds that there are, whatever it holds', () => {
    const kinds = ['command', 'button', 'unreadable', 'private-key', 'blocked', 'unblocked', 'nothing'];
    check(3_000, fc.oneof(update, fc.jsonValue()), (value) => {
      expect(kinds).toContain(interpret(value as never, 'berth_bot').kind);
    });
  });

  it('settings are read, or refused as a whole, with every fault’s name', () => {
    const variables = [
      ...Object.keys(botEnv.shape),
      ...[
        'GATEWAY_PORT',
        'GATEWAY_BIND_ADDRESS',
        'PUBLIC_URL',
        'TUNNEL',
        'TRUSTED_PROXIES',
        'DASHBOARD_WRITE',
      ],
      ...[
        'CLOUDFLARE_TOKEN',
        'CLOUDFLARE_ACCOUNT_ID',
        'CLOUDFLARE_HOSTNAME',
        'METRICS_TOKEN',
        'PRACTICE_PORT',
      ],
      ...[
        'DOCKER_HOST',
        'VM_IMAGE',
        'VM_BASE_IMAGE',
        'VM_RUNTIME',
        'SSH_BIND_ADDRESS',
        'LINK_PORT',
        'LINK_HOST',
      ],
    ];
    const name = fc.constantFrom(...variables);
    const plausible = fc.constantFrom(
      '1',
      '65535',
      '127.0.0.1',
      '::1',
      'on',
      'off',
      'http://a',
      'redis://a:1',
      '1,2',
    );
    // No name of a file: what is read there would be this machine's.
    const source = fc.dictionary(name, fc.oneof(text, plausible));
    const readers = [
      (env: object) => parseEnv(botEnv, env as never),
      parseWorkerEnv,
      parseGatewayEnv,
      parsePracticeEnv,
    ];
    check(3_000, fc.tuple(fc.constantFrom(...readers), source), ([read, env]) => {
      try {
        read(env as never);
      } catch (error) {
        expect(error).toBeInstanceOf(EnvError);
        expect((error as Error).message).toMatch(/^Wrong configuration:\n {2}[A-Z_]+: /);
      }
    });
  });

  it('what comes by way of Redis and from pages is taken for what it is, or for nothing', () => {
    const schemas = [
      ...Object.values(catalog).flatMap(({ payload, result }) => [payload, result]),
      ...[report, progress, hint, grant, revocation, toPage],
    ];
    check(4_000, fc.tuple(fc.constantFrom(...schemas), fc.jsonValue()), ([schema, value]) => {
      expect(typeof schema.safeParse(value).success).toBe('boolean');
    });
    const seal = createSeal('s'.repeat(32), 'berth');
    check(1_500, fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.jsonValue()), ([bytes, access]) => {
      expect(() => seal.open('progress', [], Buffer.from(bytes))).toThrow(UnreadableError);
      expect(() => openFields(seal, catalog.createVm, 'x.1', { access })).toThrow(UnreadableError);
    });
  });

  describe('the whole way of an update', () => {
    const dataDir = mkdtempSync(join(tmpdir(), `berth-fuzz-${randomBytes(4).toString('hex')}-`));
    let bot: BareBot;
    let nextId = 1_000_000;
    beforeAll(async () => {
      bot = await openBareBot(dataDir);
      for (const id of [7_001, 7_002]) await bot.say(administratorId, `/allow_user ${id} 1`);
      expect((await bot.say(7_001, '/create box')).events).not.toEqual([]);
    });
    afterAll(async () => {
      await bot?.store.close();
      rmSync(dataDir, { recursive: true, force: true });
    });

    it('nothing that Telegram could send is lost, ends anything, or keeps what comes next from its answer', async () => {
      const property = fc.asyncProperty(
        fc.array(update, { minLength: 15, maxLength: 15 }),
        async (updates) => {
          for (const fields of updates) {
            cases += 1;
            nextId += 1;
            const whole = { ...fields, update_id: nextId } as unknown as Update;
            await bot.handle(whole);
            if (!('from' in interpret(whole, 'berth_bot'))) continue;
            const known = await bot.store.db
              .selectFrom('updates')
              .selectAll()
              .where('update_id', '=', nextId)
              .execute();
            expect(known).toHaveLength(1);
          }
          nextId += 1;
          await bot.handle({
            update_id: nextId,
            message: {
              message_id: nextId,
              date: 0,
              chat: { id: administratorId, type: 'private' },
              from: { id: administratorId, is_bot: false, first_name: 'Ada' },
              text: '/plans',
            },
          } as unknown as Update);
          const answer = await bot.store.db
            .selectFrom('messages')
            .select('chat_id')
            .where('key', 'like', `update:${nextId}:%`)
            .execute();
          expect(answer).toEqual([{ chat_id: administratorId }]);
        },
      );
      await fc.assert(property, options(40));
      // A fault is told to the chat and harms nothing else; but there is to be none.
      const faults = await bot.store.db
        .selectFrom('messages')
        .select('key')
        .where('key', 'like', '%:fault')
        .execute();
      expect(faults).toEqual([]);
    });
  });

  it('was tried at least 20,000 times, and nothing was rejected behind anybody’s back', () => {
    expect(unhandled).toEqual([]);
    expect(cases).toBeGreaterThanOrEqual(20_000);
  });
});
