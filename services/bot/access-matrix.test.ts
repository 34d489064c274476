import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkStream } from '../../shared/link/link.ts';
import { vmStream } from '../../shared/vm/decider.ts';
import { actions } from './buttons/index.ts';
import { commands } from './commands/index.ts';
import { databasePath } from './store/store.ts';
import { type BareBot, type Outcome, openBareBot, start } from './testing/bare-bot.ts';
import { ids, type Population, populate, publicKey } from './testing/population.ts';

/**
 * Who may do what, walked through as a whole: every command and every button of the registries, by everybody, in
 * private and in a group. What is not listed here is the administrators' alone, so that a new command or button fails
 * until somebody has decided whose it is.
 */

const commandsForUsers = [
  ...['start', 'help', 'create', 'status', 'exec', 'start_vm', 'stop', 'restart', 'destroy'],
  ...['web_terminal', 'ssh_key', 'password', 'cancel', 'history', 'plans'],
];
const buttonsForUsers = [
  ...['start', 'stop', 'restart', 'status', 'destroy', 'destroy-now', 'keep', 'cancel', 'exec-on', 'create'],
  ...['help', 'ask-access', 'password', 'remove-key', 'history', 'terminal', 'close-terminals'],
];

type Who = keyof typeof ids;
const outsiders: Who[] = ['removed', 'asking', 'stranger'];
const everybody = Object.keys(ids) as Who[];

let seed: string;
let folders: string[];
let shown: Population['shown'];
let umas: Population['umas'];

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-access-'));
  folders.push(folder);
  return folder;
};

beforeAll(async () => {
  folders = [];
  seed = newFolder();
  const bot = await openBareBot(seed);
  ({ shown, umas } = await populate(bot));
  await bot.store.close();
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Runs with a bot over a copy of the seeded database. */
const withBot = async (work: (bot: BareBot) => Promise<void>): Promise<void> => {
  const folder = newFolder();
  copyFileSync(databasePath(seed), databasePath(folder));
  const bot = await openBareBot(folder);
  try {
    await work(bot);
  } finally {
    await bot.store.close();
  }
};

/** What people could put behind a command to reach for the user's things. `name`: the VM's. */
const argumentsAbout = (name: string, example: string): string[] => [
  ...['', name, `${name}: cat /etc/passwd`, `${ids.user}`, 'all', 'on'],
  ...['60001 1', '1 max_vms 9', '4g', publicKey],
  example.replace(/^\/\w+ ?/, ''),
];
/** The same of ids, which no answer repeats. */
const argumentsAboutIds = (): string[] => [umas.vmIds[0]!, umas.operationIds[0]!];

const farAway = (start + 60_000).toString(36);
/** Callback data for an action: what others were shown, and what somebody could make up. */
const dataFor = (action: string): string[] => {
  const [vmId = ''] = umas.vmIds;
  const made = [
    ...[
      [],
      [''],
      ['', '', ''],
      [vmId],
      [vmId, '1'],
      [vmId, '1', farAway],
      [vmId, '2', farAway],
      [vmId, '999999'],
    ],
    ...umas.operationIds.slice(0, 3).map((id) => [id]),
    ...[
      [`${ids.asking}`, '1'],
      [`${ids.user}`, '4'],
      [`${ids.user}`, '999999'],
      ['60001', '4'],
    ],
    ...[['0'], ['1'], ['-1'], ['x'.repeat(40)], ['💥', '💥'], ["' or 1=1 --"], ['__proto__', 'constructor']],
    ...Array.from({ length: 3 }, (_, question) => [`${question}`]),
  ].map((args) => [action, ...args].join(':'));
  return [...shown.filter((data) => data.split(':')[0] === action), ...made, `${action}:`.padEnd(64, 'z')];
};
const nonsense = (): string[] => [
  '',
  ':',
  ':::',
  'nonsense',
  '💥'.repeat(16),
  'z'.repeat(64),
  'toString',
  '\0',
];

const expectNothingDone = ({ events, asked, changed }: Outcome, what: string): void => {
  expect({ events, asked, changed }, what).toEqual({ events: [], asked: 0, changed: false });
};

/** Nothing in it comes from another person, reaches another person, or changed something of another person's. */
const expectOnlyTheirOwn = async (
  bot: BareBot,
  id: number,
  outcome: Outcome,
  what: string,
): Promise<void> => {
  const own = await bot.store.db.selectFrom('vms').select('vm_id').where('owner', '=', id).execute();
  const links = await bot.store.db
    .selectFrom('operations')
    .select('operation_id')
    .where('kind', '=', 'link')
    .where('owner', '=', id)
    .where(({ eb, or }) =>
      or([
        eb('vm_id', 'is', null),
        eb(
          'vm_id',
          'in',
          own.map(({ vm_id }) => vm_id),
        ),
      ]),
    )
    .execute();
  const streams = [
    `user-${id}`,
    ...own.map(({ vm_id }) => vmStream(vm_id)),
    ...links.map(({ operation_id }) => linkStream(operation_id)),
  ];
  for (const { stream } of outcome.events) expect(streams, what).toContain(stream);
  for (const { chatId } of outcome.heard) expect(chatId, what).toBe(id);
};
const expectNothingOfUmas = (text: string, what: string): void => {
  for (const secret of umas.secrets) expect(text, what).not.toContain(secret);
};
const everythingIn = ({ heard, toast }: Outcome): string =>
  JSON.stringify([heard.map(({ content }) => content), toast]);

describe.each(outsiders)('for somebody who is %s', (who) => {
  const id = ids[who];

  it.each(['private', 'group'] as const)(
    'no command does anything in %s, and each has the same answer',
    (place) =>
      withBot(async (bot) => {
        const [known] = (await bot.say(id, '/start', place)).texts;
        if (place === 'private') expect(known).toContain(`${id}`);
        else expect(known).toContain('only in private');
        for (const { name, example } of [...commands, { name: 'nonsense', example: '/nonsense' }]) {
          for (const argument of [...argumentsAbout('umabox', example), ...argumentsAboutIds()]) {
            const outcome = await bot.say(id, `/${name} ${argument}`, place);
            expectNothingDone(outcome, `/${name} ${argument}`);
            expect(outcome.texts, `/${name} ${argument}`).toEqual([known]);
          }
        }
      }),
  );

  it.each(['private', 'group'] as const)('no button does anything in %s', (place) =>
    withBot(async (bot) => {
      const [known] = (await bot.say(id, '/start')).texts;
      for (const data of [...actions.flatMap(({ action }) => dataFor(action)), ...nonsense()]) {
        // The only thing that is theirs to press has a test of its own.
        if (place === 'private' && data.split(':')[0] === 'ask-access') continue;
        const outcome = await bot.press(id, data, place);
        expectNothingDone(outcome, data);
        for (const text of outcome.texts) expect(text, data).toBe(known);
        if (outcome.texts.length === 0) expect(outcome.toast?.text, data).toMatch(/^This button/);
      }
    }),
  );

  it('asking for access is theirs, is done once, and reaches the administrators', () =>
    withBot(async (bot) => {
      const { events, heard } = await bot.press(id, 'ask-access');
      if (who === 'asking') expect(events).toEqual([]);
      else {
        expect(events).toEqual([{ stream: `user-${id}`, type: 'AccessRequested' }]);
        expect(heard.map(({ chatId }) => chatId).sort()).toEqual([ids.administrator, id]);
      }
      const again = await bot.press(id, 'ask-access:anything');
      expectNothingDone(again, 'ask-access again');
      expect(again.texts.join()).toContain(`${id}`);
    }));
});

describe.each(['user', 'other', 'administrator'] as const)('for somebody who is %s', (who) => {
  const id = ids[who];

  it.each(commands)('/$name is what they may use, or is refused', ({ name, example }) =>
    withBot(async (bot) => {
      const isTheirs = who === 'administrator' || commandsForUsers.includes(name);
      for (const argument of [...argumentsAbout('umabox', example), ...argumentsAboutIds()]) {
        const outcome = await bot.say(id, `/${name} ${argument}`);
        expect(outcome.heard.length, `/${name} ${argument} is not met with silence`).toBeGreaterThan(0);
        if (isTheirs) expect(outcome.texts.join(), argument).not.toContain('is for administrators');
        else {
          expectNothingDone(outcome, `/${name} ${argument}`);
          expect(outcome.texts, argument).toEqual([
            `/${name} is for administrators. /help shows what you can do.`,
          ]);
        }
      }
    }),
  );

  it('in a group no command and no button does anything', () =>
    withBot(async (bot) => {
      for (const { name, example } of [...commands, { name: 'nonsense', example: '/nonsense' }]) {
        for (const argument of ['', 'umabox', example.replace(/^\/\w+ ?/, '')]) {
          const outcome = await bot.say(id, `/${name} ${argument}`, 'group');
          expectNothingDone(outcome, `/${name} ${argument}`);
          expect(outcome.texts).toEqual(['I talk about VMs only in private. Write to me directly, please.']);
        }
      }
      for (const data of [...shown, ...actions.flatMap(({ action }) => dataFor(action).slice(0, 8))]) {
        const outcome = await bot.press(id, data, 'group');
        expectNothingDone(outcome, data);
        expect(outcome.heard, data).toEqual([]);
        expect(outcome.toast, data).toEqual({ text: 'This button is not for you.', alert: true });
      }
    }));
});

// Also an administrator reaches other people's VMs by nothing but the commands that are for that.
describe.each(['other', 'administrator'] as const)("another user's things, for %s", (who) => {
  const id = ids[who];

  it.each(commandsForUsers)('are not to be had by /%s', (name) =>
    withBot(async (bot) => {
      const { example } = commands.find((command) => command.name === name)!;
      await withBot(async (unknowing) => {
        const wanted = argumentsAbout('umabox', example);
        for (const [at, made] of argumentsAbout('nothere', example).entries()) {
          const about = `/${name} ${wanted[at]}`;
          const outcome = await bot.say(id, about);
          await expectOnlyTheirOwn(bot, id, outcome, about);
          // What they typed may be repeated; beyond that it must make no difference that there is such a VM.
          const same = await unknowing.say(id, `/${name} ${made}`);
          const neutral = (text: string) => text.replaceAll('nothere', 'umabox');
          expect(outcome.texts.map(withoutChance), about).toEqual(same.texts.map(neutral).map(withoutChance));
        }
      });
    }),
  );

  it.each(commandsForUsers)('are not to be had by /%s and an id', async (name) => {
    for (const argument of argumentsAboutIds()) {
      await withBot(async (bot) => {
        const outcome = await bot.say(id, `/${name} ${argument}`);
        await expectOnlyTheirOwn(bot, id, outcome, argument);
        expectNothingOfUmas(everythingIn(outcome).replaceAll(argument, ''), argument);
      });
    }
  });

  it.each(buttonsForUsers)('are not to be had by the button %s', (action) =>
    withBot(async (bot) => {
      for (const data of dataFor(action)) {
        const outcome = await bot.press(id, data);
        await expectOnlyTheirOwn(bot, id, outcome, data);
        expectNothingOfUmas(everythingIn(outcome), data);
        expect(outcome.heard.length > 0 || outcome.toast !== null, `${data} is not met with silence`).toBe(
          true,
        );
      }
    }),
  );
});

/** Passwords and ids are drawn by lot. */
const withoutChance = (text: string): string => text.replace(/[A-Za-z0-9_-]{10,}/g, '…');

describe('the buttons of administrators', () => {
  const theirs = actions.filter(({ action }) => !buttonsForUsers.includes(action));

  it.each(theirs)('$action is refused to users and does nothing', ({ action }) =>
    withBot(async (bot) => {
      for (const data of dataFor(action)) {
        for (const id of [ids.user, ids.other]) {
          const outcome = await bot.press(id, data);
          expectNothingDone(outcome, data);
          expect(outcome.heard, data).toEqual([]);
          expect(outcome.toast, data).toEqual({ text: 'This button is not for you.', alert: true });
        }
      }
    }),
  );

  it.each(theirs)(
    '$action works for administrators as it was shown, and made-up data does no harm',
    ({ action }) =>
      withBot(async (bot) => {
        for (const data of dataFor(action)) {
          const { heard, toast } = await bot.press(ids.administrator, data);
          expect(toast?.text, data).not.toBe('This button is not for you.');
          expect(heard.length > 0 || toast !== null, `${data} is not met with silence`).toBe(true);
          expect(JSON.stringify(heard), data).not.toContain('fault of its own');
        }
      }),
  );
});

it('anything that is no button at all is answered as such, for everybody', () =>
  withBot(async (bot) => {
    for (const who of everybody) {
      for (const data of nonsense()) {
        const outcome = await bot.press(ids[who], data);
        expectNothingDone(outcome, data);
        expect(outcome.toast?.text).toBe('This button no longer works. /help shows what does.');
      }
    }
  }));

it('every button there is was shown to somebody at the beginning, so that the real thing was pressed', () => {
  expect([...new Set(shown.map((data) => data.split(':')[0]))].sort()).toEqual(
    actions.map(({ action }) => action).sort(),
  );
});

it('the lists here name nothing that does not exist', () => {
  const existing = {
    commands: commands.map(({ name }) => name),
    actions: actions.map(({ action }) => action),
  };
  expect(existing.commands).toEqual(expect.arrayContaining(commandsForUsers));
  expect(existing.actions).toEqual(expect.arrayContaining(buttonsForUsers));
});
