import { createLog } from '../../../../shared/log.ts';
import { openStore } from '../../store/store.ts';
import { createApi } from '../client.ts';
import { createSender } from '../sender.ts';

/** A sender that can be killed: `node sender-process.ts DATA_DIR TOKEN API_ROOT`. */

const [dataDir, token, apiRoot] = process.argv.slice(2) as [string, string, string];
const log = createLog('sender', 'silent');
const { db } = await openStore({ dataDir, log });
createSender({
  db,
  log,
  api: createApi({ token, apiRoot }),
  render: async (view) => (view.kind === 'content' ? view.content : null),
});
