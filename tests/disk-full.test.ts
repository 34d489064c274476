import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { docker, findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { readAccess, ssh } from './support/ssh.ts';

/** A disk that fills up, as the person and the administrator see it. A bot that begins looks at all disks at once. */

let berth: Berth;
let max: Participant;
let access: ReturnType<typeof readAccess>;

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const slow = { timeoutMs: 60_000 };
const told = (part: string) => max.messages().filter(says(part)).length;

/** `before`: what is done while no bot runs. Resolves when the host has answered the bot's first question. */
const lookAgain = async (before: () => void = () => undefined): Promise<void> => {
  await berth.bot().end();
  before();
  const jobs = () => berth.workers().flatMap((worker) => worker.lines());
  const seen = jobs().length;
  await berth.startBot();
  await expect
    .poll(
      () =>
        jobs()
          .slice(seen)
          .some(({ job, msg }) => job === 'measure-disks' && msg === 'job ended'),
      { timeout: 60_000 },
    )
    .toBe(true);
};
/** As if the VM had come up an hour earlier: nobody is stopped within ten minutes of a start. */
const letAnHourPass = (): void => {
  const database = new Database(join(berth.dataDir, 'berth.db'));
  database
    .prepare(
      `update events set data = json_set(data, '$.at', '2020-01-01T00:00:00.000Z') where type in ('VmCreated', 'VmStarted')`,
    )
    .run();
  database.close();
};

beforeAll(async () => {
  berth = await startBerth();
  await berth.admin.ask('/config_plan 1 disk 1g', says('1 GB disk'));
  max = await berth.newUser('Max');
  access = readAccess(await max.ask('/create box', says('is running'), slow));
});
afterAll(() => berth?.stop());

describe('a VM that fills its disk', { timeout: 180_000 }, () => {
  it('is told of once, with how much, and shows it', async () => {
    await ssh(access, 'fallocate -l 940M big');
    await lookAgain();
    const warning = await max.waitForMessage(says('⚠️ box uses'), slow);
    expect(warning.text).toMatch(/9\d\d MB of its 1 GB of disk. At 1.1 GB it is stopped\. Delete/);
    await max.ask('/status', (message) => /disk 9\d\d MB of 1 GB/.test(message.text));
    await lookAgain();
    expect(told('⚠️ box uses')).toBe(1);
  });

  it('is stopped far above its limit, wherever the files lie, and its owner reads why and what to do', async () => {
    await ssh(access, 'sudo fallocate -l 300M /opt/more');
    await lookAgain(); // it has only just come up
    expect(told('🛑')).toBe(0);
    await lookAgain(letAnHourPass);
    const stop = await max.waitForMessage(says('🛑 box was stopped'), slow);
    expect(stop.text).toMatch(/used 1\.2 GB of its 1 GB of disk[\s\S]*you have 10 min to delete/);
    expect(stop.buttons.flat().map(({ text }) => text)).toContain('▶️ Start');
    const [container] = await findContainers(berth.instance);
    expect((await docker.getContainer(container!.Id).inspect()).State.Running).toBe(false);
    expect((await max.ask('/status', says('stopped'))).text).toContain('disk 1.2 GB of 1 GB');
    expect((await max.ask('/history', says('What happened'))).text).toContain('its disk was full');
  });

  it('can be started and cleaned up, and is told of again the next time', async () => {
    access = readAccess(await max.ask('/start_vm', says('is running again'), slow));
    await lookAgain();
    expect(told('🛑 box was stopped')).toBe(1);
    await ssh(access, 'sudo rm /opt/more; rm big');
    await lookAgain();
    await ssh(access, 'fallocate -l 950M big');
    await lookAgain();
    await expect.poll(() => told('⚠️ box uses'), { timeout: 20_000 }).toBe(2);
  });

  it('is seen by the administrator, with whether limits are enforced or watched', async () => {
    // The bot has only just begun, and hears from its workers within seconds.
    const overview = async () => (await berth.admin.ask('/admin_info', says('Disk use'), slow)).text;
    await expect
      .poll(overview, { timeout: 30_000 })
      .toMatch(/disk limits are (watched every minute, not enforced|enforced .*homes are watched)/);
    expect(await overview()).toMatch(/💽 Disk use, .*: 1 VM measured/);
    expect(await findContainers(berth.instance)).toHaveLength(1);
  });
});
