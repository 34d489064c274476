import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { docker, findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** What is told afterwards: what happened, who did it and why. The steps build on each other. */

let berth: Berth;
let hal: Participant;
let admin: string;

const long = { timeoutMs: 60_000 };
const says =
  (...parts: string[]) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && parts.every((part) => text.includes(part));
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);
/** Without the time that each begins with. */
const linesOf = ({ text }: ChatMessage): string[] =>
  text
    .split('\n')
    .slice(1)
    .map((line) =>
      line.replace(/^• \d+ \w+ \d\d:\d\d /, '').replace(/ in [\d.]+ (ms|s|min)\b.*?(?=,| —|$)/, ''),
    );
const history = async (name = ''): Promise<string[]> =>
  linesOf(await hal.ask(`/history ${name}`, says('What happened to')));
const older = async (message: ChatMessage, person: Participant): Promise<ChatMessage> => {
  const before = message.text;
  await person.pressAndWait(message, '⏪ Older');
  return person.waitForMessage(({ id, text }) => id === message.id && text !== before);
};

beforeAll(async () => {
  berth = await startBerth();
  await berth.admin.ask('/start');
  hal = await berth.newUser('Hal');
  const me = berth.chat.people().find(({ id }) => id === berth.admin.id)!;
  admin = me.firstName;
});
afterAll(() => berth?.stop());

describe('/history', () => {
  it('of somebody without VMs says that nothing has happened', async () => {
    expect((await hal.ask('/history')).text).toContain('Nothing has happened yet');
    expect((await hal.ask('/history box')).text).toContain('no VM called box');
  });

  it('tells what the owner did, with how commands ended', async () => {
    await hal.ask('/create box', says('box is running'), long);
    await hal.ask('/exec exit 3', says('Exit code 3'));
    await hal.ask('/password', says('new password'));
    await hal.ask('/restart', says('running again'), long);
    expect(await history()).toEqual([
      'box restarted — you',
      'box got a new password — you',
      'box ran a command, exit code 3 — you',
      'box created — you',
    ]);
  });

  it('tells what happened by itself', async () => {
    const [container] = await findContainers(berth.instance);
    await docker.getContainer(container!.Id).kill();
    await hal.waitForMessage(says('box was killed on the host'), long);
    expect((await history())[0]).toBe('box was killed on the host — by itself');
    await hal.ask('/start_vm', says('running again'), long);
  });

  it('names the administrator and gives the reason', async () => {
    const stopped = says('box', 'stopped', 'the demo needs the host');
    await berth.admin.ask(`/force_stop ${hal.id} the demo needs the host`);
    await hal.waitForMessage(stopped, long);
    const [last] = await history('box');
    expect(last).toMatch(new RegExp(`^box stopped — ${admin}.* \\(the demo needs the host\\)$`));
    await hal.ask('/start_vm', says('running again'), long);
  });

  it('names maintenance', async () => {
    await berth.admin.ask('/maintenance on', says('1 of 1'), long);
    await berth.admin.ask('/maintenance off', says('1 of 1'), long);
    const [started, stopped] = await history();
    expect(started).toMatch(new RegExp(`^box started — ${admin}.* \\(maintenance\\)$`));
    expect(stopped).toMatch(new RegExp(`^box stopped — ${admin}.* \\(maintenance\\)$`));
  });

  it('goes back page by page to the creation, without a button at the end', async () => {
    for (let count = 0; count < 6; count += 1) await hal.send(`/exec exit ${40 + count}`);
    for (let count = 0; count < 6; count += 1)
      await hal.waitForMessage(says(`Exit code ${40 + count}`), long);
    let page = await hal.ask('/history', says('What happened to your VMs'));
    const lines = linesOf(page);
    while (labels(page).length > 0) {
      expect(labels(page)).toEqual(['⏪ Older']);
      page = await older(page, hal);
      lines.push(...linesOf(page));
    }
    expect(lines.at(-1)).toBe('box created — you');
    expect(lines.filter((line) => line.includes('exit code 4'))).toHaveLength(6);
    expect(lines).toHaveLength(16);
  });

  it('remembers VMs that were destroyed, also beside a new one of the same name', async () => {
    const question = await hal.ask('/destroy');
    await hal.pressAndWait(question, '🗑 Yes, destroy box');
    await hal.waitForMessage(says('box is destroyed'), long);
    expect((await history('box'))[0]).toBe('box destroyed — you');
    await hal.ask('/create box', ({ text }) => /box is running/.test(text), long);
    expect(await history('box')).toEqual(['box created — you']);
    expect((await history()).slice(0, 2)).toEqual(['box created — you', 'box destroyed — you']);
    expect((await hal.ask('/history nothere')).text).toContain('Yours: box.');
  });

  it('names who ended what somebody else had begun', async () => {
    await hal.ask('/exec sleep 60', says('sleep 60'));
    await berth.admin.ask(`/remove_user ${hal.id}`, says('1 of 1'), long);
    const page = await berth.admin.ask(`/audit ${hal.id}`, says('done to them'));
    expect(linesOf(page)).toContain('cancel the command on box of Hal — you');
    expect(linesOf(page)).toContain('took Hal off the list — you');
    expect(linesOf(page)).toContain('stop box of Hal ✅ — you (taken off the list)');
    expect(linesOf(page)).not.toContain('cancel: a command of box of Hal — Hal');
    await berth.admin.ask(`/allow_user ${hal.id} 1 @hal_h`, says('may use Berth'));
  });
});

describe('/audit', () => {
  it('tells everything that anybody did, newest first, and whose VM it was', async () => {
    const page = await berth.admin.ask('/audit', says('Who did what'));
    const [last] = linesOf(page);
    expect(last).toMatch(/^let in Hal.* with plan 1 — you$/);
    expect(linesOf(page).join('\n')).toMatch(/took Hal.* off the list — you/);
    expect(labels(page)).toEqual(['⏪ Older']);
    let turned = page;
    while (labels(turned).length > 0) turned = await older(turned, berth.admin);
    const oldest = linesOf(turned).join('\n');
    expect(oldest).toMatch(/create box of Hal ✅ — Hal|create box ✅ — Hal/);
  });

  it.each([
    ['their id', () => `${hal.id}`],
    ['their user name', () => '@hal_h'],
    ['their user name without the sign, in capitals', () => 'HAL_H'],
  ])('of one person, by %s, tells what they did and what was done to them', async (_how, wanted) => {
    const page = await berth.admin.ask(`/audit ${wanted()}`, says('What', 'did, and what was done to them'));
    expect(page.text.split('\n')[0]).toContain('Hal');
    expect(linesOf(page).every((line) => !line.includes('maintenance began'))).toBe(true);
    expect(linesOf(page)[0]).toMatch(/^let in Hal.* — you$/);
  });

  it('of somebody unknown gives the usage, and of an unknown id says that nothing has happened', async () => {
    const answer = await berth.admin.ask('/audit @nobody_here');
    expect(answer.text).toContain('@nobody_here is nobody I know');
    expect(answer.text).toContain('Example: /audit');
    expect((await berth.admin.ask('/audit 999999')).text).toContain('Nothing has happened yet');
  });

  it('tells nothing that was secret: no command, no password', async () => {
    const page = await berth.admin.ask(`/audit ${hal.id}`, says('What', 'did'));
    expect(page.text).not.toContain('sleep 60');
    expect(page.text).toMatch(/command on box of Hal/);
  });
});
