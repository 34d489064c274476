import { once } from 'node:events';
import { createLog } from '../../../../shared/log.ts';
import { vm, vmStream } from '../../../../shared/vm/decider.ts';
import { command } from '../../../../shared/vm/testing/history.ts';
import { openStore } from '../store.ts';

/** A second process on a database: `node writer.ts DATA_DIR`. Says how far it is, and stays there until it is ended. */

const dataDir = process.argv[2]!;
const metadata = { actor: null, chat: null, correlationId: 'writer', causationId: null };

try {
  const store = await openStore({ dataDir, log: createLog('writer', 'silent') });
  await store.transaction(async (trx) => {
    const wanted = command.RequestVm('half');
    await store.handle(trx, vm, vmStream(wanted.data.vmId), wanted, metadata);
    process.stdout.write('in a transaction\n');
    process.stdin.resume();
    await once(process.stdin, 'end');
  });
  await store.close();
} catch (error) {
  process.stdout.write(`${(error as Error).name}: ${(error as Error).message}\n`);
}
