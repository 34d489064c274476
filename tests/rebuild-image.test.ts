import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administratorId, type Berth, startBerth } from './support/berth.ts';
import { docker, findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/**
 * /rebuild_image, with images of this file's own. A forced build of the real recipe installs every package, which takes
 * a minute and longer; here the recipe is built, by force, on a base that has the packages already.
 */

const mark = Math.random().toString(36).slice(2, 8);
const image = `berth-vm-test-${mark}:latest`;
const base = `berth-base-test-${mark}:latest`;
const present = process.env.VM_IMAGE || 'berth-vm:latest';
const otherId = 4002;

let berth: Berth;
let other: Participant;
let guest: Participant;

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);
const isStep = ({ fromBot, text }: ChatMessage) => fromBot && /anew…\nStep \d+\/\d+/.test(text);
const imageId = async () => (await docker.getImage(image).inspect()).Id;
const imageOf = async (owner: Participant) => {
  const all = await findContainers(berth.instance);
  return all.filter(({ Labels }) => Labels['berth.owner'] === `${owner.id}`).map(({ ImageID }) => ImageID);
};
const derive = (name: string, lines: string[]) =>
  execa('docker', ['build', '--quiet', '--tag', name, '-'], {
    input: [`FROM ${present}`, ...lines].join('\n'),
  });
const intermediate = async () => {
  const all = await docker.listContainers({ all: true });
  return all.filter(({ Image, Labels }) => !Image.startsWith('berth-vm') && !('berth.instance' in Labels));
};

beforeAll(async () => {
  await derive(image, [`LABEL test=${mark}`]);
  await derive(base, [
    `LABEL test=${mark}`,
    'ENTRYPOINT []',
    'RUN userdel --remove dev; rm -rf /usr/local/lib/berth /etc/ssh/berth_authorized_keys /etc/sudoers.d/dev',
  ]);
  berth = await startBerth({
    env: { VM_IMAGE: image, VM_BASE_IMAGE: base, ADMIN_USER_ID: `${administratorId},${otherId}` },
  });
  await berth.chat.addPerson({ id: otherId, firstName: 'Olga' });
  other = berth.chat.person(otherId);
  await other.ask('/start');
  guest = await berth.newUser('Gustav');
  await guest.ask('/create before', says('is running'), { timeoutMs: 30_000 });
});
afterAll(async () => {
  await berth?.stop();
  for (const name of [image, base]) {
    await docker
      .getImage(name)
      .remove({ force: true })
      .catch(() => undefined);
  }
  // What a cancelled build was committing just then, and the image that was replaced.
  const left = await docker.listImages({ filters: { label: [`test=${mark}`] } });
  for (const { Id } of left) await docker.getImage(Id).remove({ force: true });
});

describe('/rebuild_image', () => {
  it('is for administrators', async () => {
    expect((await guest.ask('/rebuild_image')).text).not.toContain('Building');
  });

  it('is ended by its button, changes nothing then, and can be asked for again at once', async () => {
    const id = await imageId();
    const message = await berth.admin.ask('/rebuild_image', isStep, { timeoutMs: 15_000 });
    expect(labels(message)).toEqual(['✖️ Cancel']);
    await berth.admin.pressAndWait(message, '✖️ Cancel');
    const cancelled = await berth.admin.waitForMessage(
      ({ id: at, text }) => at === message.id && text.includes('Cancelled'),
    );
    expect(labels(cancelled)).toEqual([]);
    await expect.poll(intermediate, { timeout: 15_000 }).toEqual([]);
    expect(await imageId()).toBe(id);

    const again = await berth.admin.ask('/rebuild_image', isStep, { timeoutMs: 15_000 });
    expect(again.id).not.toBe(message.id);
    await berth.admin.send('/cancel');
    await berth.admin.waitForMessage(({ id: at, text }) => at === again.id && text.includes('Cancelled'));
    expect(await imageId()).toBe(id);
  });

  it('shows its steps, is refused while one goes on, and tells whoever has to know; VMs go on', async () => {
    const before = await imageId();
    const begun = performance.now();
    const message = await berth.admin.ask('/rebuild_image', isStep, { timeoutMs: 15_000 });
    for (const administrator of [berth.admin, other]) {
      const refused = await administrator.ask('/rebuild_image');
      expect(refused.text).toContain('being built already');
    }
    expect((await guest.ask('/exec uptime', says('exit code'))).text).toContain('exit code 0');
    await berth.admin.ask('/create meanwhile', says('is running'), { timeoutMs: 30_000 });
    expect(await imageOf(berth.admin)).toEqual([before]);

    const done = await berth.admin.waitForMessage(
      ({ id, text }) => id === message.id && text.includes('is new'),
      { timeoutMs: 90_000 },
    );
    console.log(`the forced build took ${((performance.now() - begun) / 1000).toFixed(1)} s: ${done.text}`);
    const revisions = await berth.chat.revisions(done);
    const steps = new Set(revisions.flatMap(({ text }) => /Step \d+\/\d+/.exec(text ?? '')?.[0] ?? []));
    expect(steps.size).toBeGreaterThanOrEqual(2);
    const told = await other.waitForMessage(says('had the VM image'));
    expect(told.text).toContain('built anew');
    expect(berth.admin.messages().filter(says('had the VM image'))).toEqual([]);

    const after = await imageId();
    expect(after).not.toBe(before);
    expect((await guest.ask('/exec echo still here', says('exit code'))).text).toContain('still here');
    expect(await imageOf(guest)).toEqual([before]);
    await other.ask('/create after', says('is running'), { timeoutMs: 30_000 });
    expect(await imageOf(other)).toEqual([after]);
  }, 150_000);

  it('that fails says at which step and why, and the image before stays in use', async () => {
    const before = await imageId();
    await Promise.all(berth.workers().map((worker) => worker.end()));
    await berth.startWorker({ VM_BASE_IMAGE: 'berth.invalid/nothing:1' });
    const failed = await other.ask('/rebuild_image', says('❌'), { timeoutMs: 30_000 });
    expect(failed.text).toContain('the one before stays in use');
    expect(failed.text).toContain('berth.invalid/nothing:1');
    expect(await imageId()).toBe(before);
  }, 45_000);
});
