import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers, findVolumes } from './support/docker.ts';
import type { ChatMessage } from './support/practice-client.ts';
import { fingerprint, readAccess, ssh } from './support/ssh.ts';

/** The whole way of one VM, as a person goes it. The steps build on each other. */

let berth: Berth;
let created: ChatMessage;

beforeAll(async () => {
  berth = await startBerth({ workers: 2 });
});
afterAll(() => berth?.stop());

const says = (part: string) => (message: ChatMessage) => message.text.includes(part);

describe('from /create to a shell and back', () => {
  it('answers /create at once and brings that one message to its end', async () => {
    const first = await berth.admin.ask('/create box');
    expect(first.text).toContain('Creating box');
    created = await berth.chat.waitForMessage(
      berth.admin.id,
      ({ id, text }) => id === first.id && text.includes('box is running'),
      { timeoutMs: 60_000 },
    );
    expect(created.buttons.flat().map(({ text }) => text)).toEqual([
      '🖥 Terminal',
      'ℹ️ Status',
      '🔄 Restart',
      '⏹ Stop',
      '🗑 Destroy',
    ]);
  });

  it('lets the person in over SSH with what the message says, as dev with sudo', async () => {
    const access = readAccess(created);
    expect(await ssh(access, 'whoami && pwd && sudo whoami && hostname')).toBe('dev\n/home/dev\nroot\nbox');
    expect(created.text).toContain(await fingerprint(access));
    await ssh(access, 'echo kept > note');
  });

  it('hides the password behind a touch and in a code entity of its own', () => {
    const { password } = readAccess(created);
    expect(password.length).toBeGreaterThanOrEqual(20);
    const at = created.text.indexOf(password);
    const around = created.entities.filter(
      ({ offset, length }) => offset <= at && offset + length >= at + password.length,
    );
    expect(around.map(({ type }) => type).sort()).toEqual(['code', 'expandable_blockquote']);
  });

  it('shows the state, the way in and live figures with /status', async () => {
    const card = await berth.admin.ask('/status');
    expect(card.text).toContain('running');
    expect(readAccess(card)).toEqual(readAccess(created));
    await berth.chat.waitForMessage(
      berth.admin.id,
      ({ id, text }) => id === card.id && /CPU [\d.]+ of/.test(text) && /RAM .* of 2 GB/.test(text),
    );
  });

  it('runs a command in the home and tells output, exit code and duration', async () => {
    const answer = await berth.admin.ask('/exec cat note; echo oops >&2; exit 3', says('Exit code'));
    expect(answer.text).toContain('kept\noops');
    expect(answer.text).toMatch(/Exit code 3 in \d/);
  });

  it('stops and starts again with the same port, host key, password and files', async () => {
    const before = { ...readAccess(created), key: await fingerprint(readAccess(created)) };
    await berth.admin.ask('/stop', says('box is stopped'), { timeoutMs: 30_000 });
    const refused = await berth.admin.ask('/exec true');
    expect(refused.text).toContain('box is stopped');
    const started = await berth.admin.ask('/start_vm', says('running again'), { timeoutMs: 30_000 });
    const after = readAccess(started);
    expect({ ...after, key: await fingerprint(after) }).toEqual(before);
    expect(await ssh(after, 'cat note')).toBe('kept');
  });

  it('restarts', async () => {
    const access = readAccess(
      await berth.admin.ask('/restart', says('running again'), { timeoutMs: 30_000 }),
    );
    expect(await ssh(access, 'cat note')).toBe('kept');
  });

  it('refuses a second VM beyond the limit and says what to do', async () => {
    const answer = await berth.admin.ask('/create another');
    expect(answer.text).toContain('/destroy');
    expect(await findContainers(berth.instance)).toHaveLength(1);
  });

  it('asks before it destroys, and keeps the VM when told so', async () => {
    const question = await berth.admin.ask('/destroy');
    expect(question.text).toContain('Destroy box for good?');
    await berth.admin.pressAndWait(question, 'Keep box');
    await berth.chat.waitForMessage(
      berth.admin.id,
      ({ id, text }) => id === question.id && text.includes('stays'),
    );
  });

  it('destroys container and volume once confirmed', async () => {
    const question = await berth.admin.ask('/destroy box');
    await berth.admin.pressAndWait(question, '🗑 Yes, destroy box');
    await berth.chat.waitForMessage(berth.admin.id, says('box is destroyed'), { timeoutMs: 30_000 });
    expect(await findContainers(berth.instance)).toEqual([]);
    expect(await findVolumes(berth.instance)).toEqual([]);
  });

  it('tells whoever presses an old button that things have moved on', async () => {
    const { text, showAlert } = await berth.admin.pressAndWait(created, '⏹ Stop');
    expect(text).toContain('moved on');
    expect(showAlert).toBe(true);
  });

  it('says there is nothing when there is nothing', async () => {
    expect((await berth.admin.ask('/status')).text).toContain('no VM yet');
    expect((await berth.admin.ask('/cancel')).text).toContain('Nothing of yours');
  });
});
