import { createLog } from '../../shared/log.ts';
import { createConsumer } from '../consumer.ts';
import { concurrency, succeeding } from './processors.ts';

/** A worker process that never ends a stop-vm: something to kill. Says `took` once it has one. */

const [redisUrl, instance] = process.argv.slice(2);
const consumer = createConsumer({
  redisUrl: redisUrl!,
  instance: instance!,
  host: 'h1',
  concurrency,
  log: createLog('stuck', 'silent'),
  processors: {
    ...succeeding,
    stopVm: (_payload, { signal }) => {
      process.stdout.write('took\n');
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  },
});
await consumer.ready;
process.stdout.write('ready\n');
process.on('SIGTERM', () => consumer.close(100).then(() => process.exit(0)));
