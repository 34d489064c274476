import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { docker } from './support/docker.ts';

/** The first /create on a host without the VM image. Docker's build cache makes the build itself short here. */

const image = `berth-vm-test-${Math.random().toString(36).slice(2, 8)}:latest`;
let berth: Berth;

beforeAll(async () => {
  berth = await startBerth({ env: { VM_IMAGE: image } });
});
afterAll(async () => {
  await berth?.stop();
  await docker
    .getImage(image)
    .remove({ force: true })
    .catch(() => undefined);
});

describe('the first /create on a host without the image', () => {
  it('shows the steps of the build while it waits, and ends in a running VM', async () => {
    const first = await berth.admin.ask('/create box');
    const building = await berth.chat.waitForMessage(
      berth.admin.id,
      ({ id, text }) => id === first.id && text.includes('Building the VM image'),
      { timeoutMs: 20_000 },
    );
    expect(building.buttons.flat().map(({ text }) => text)).toEqual(['✖️ Cancel']);
    await berth.chat.waitForMessage(
      berth.admin.id,
      ({ id, text }) => id === first.id && text.includes('is running'),
      { timeoutMs: 120_000 },
    );
  }, 150_000);
});
