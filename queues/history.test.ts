import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createLog } from '../shared/log.ts';
import { startRedis } from '../tests/support/redis.ts';
import { createProducer } from './producer.ts';
import { linkSecret } from './testing/link-secret.ts';

/** Redis, a producer on it, and all that lies on the disk of Redis. */
const open = async (appendOnly: boolean) => {
  const server = await startRedis({ appendOnly });
  onTestFinished(server.stop);
  const log = createLog('test', 'silent');
  const producer = createProducer({ redisUrl: server.url, instance: 'test', linkSecret, log });
  onTestFinished(() => producer.close());
  await vi.waitFor(() => expect(producer.isReady()).toBe(true));
  const folder = String(((await producer.redis.config('GET', 'dir')) as string[])[1]);
  // Redis takes files away as it writes them anew.
  const onDisk = async (): Promise<Buffer> => {
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    return Buffer.concat(
      await Promise.all(
        files.map((one) => readFile(join(one.parentPath, one.name)).catch(() => Buffer.alloc(0))),
      ),
    );
  };
  return { producer, onDisk };
};

it('what was deleted is on the disk of Redis no more, not even sealed, and what was not still is', async () => {
  const { producer, onDisk } = await open(true);
  await producer.putPrivate('exec:gone', Buffer.from('hush'));
  await producer.putPrivate('exec:kept', Buffer.from('hush'));
  const [gone, kept] = await Promise.all(
    ['gone', 'kept'].map((name) => producer.redis.getBuffer(`test:private:exec:${name}`)),
  );
  await vi.waitFor(async () => expect((await onDisk()).includes(gone!)).toBe(true), 5_000);
  await producer.forgetPrivate('exec:gone');
  expect((await onDisk()).includes(gone!)).toBe(true);
  await producer.rewriteHistory();
  await vi.waitFor(async () => expect((await onDisk()).includes(gone!)).toBe(false), 10_000);
  expect((await onDisk()).includes(kept!)).toBe(true);
});

it('a Redis that keeps no such file is left alone', async () => {
  const { producer, onDisk } = await open(false);
  await producer.rewriteHistory();
  expect(await onDisk()).toHaveLength(0);
});
