import { createLog } from '../../shared/log.ts';
import type { QueueKind } from '../catalog.ts';
import { type Context, createConsumer } from '../consumer.ts';
import { linkSecret } from './link-secret.ts';
import { concurrency, succeeding } from './processors.ts';

/**
 * A worker process that never ends a stop-vm or a build: something to kill. Says `took` once it has one and
 * `let go` once it must stop. Arguments:
 * Redis' URL, the instance, and the only kind of queue to take from, where it is not all.
 */

const [redisUrl, instance, kind] = process.argv.slice(2);
const getStuck = (_payload: unknown, { signal }: Context): Promise<never> => {
  process.stdout.write('took\n');
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => {
      process.stdout.write('let go\n');
      reject(signal.reason);
    }),
  );
};
const consumer = createConsumer({
  linkSecret,
  redisUrl: redisUrl!,
  instance: instance!,
  host: 'h1',
  concurrency,
  ...(kind !== undefined && { kinds: [kind as QueueKind] }),
  log: createLog('stuck', 'silent'),
  processors: {
    ...succeeding,
    stopVm: getStuck,
    buildImage: getStuck,
  },
});
await consumer.ready;
process.stdout.write('ready\n');
process.on('SIGTERM', () => consumer.close(100).then(() => process.exit(0)));
