import { join } from 'node:path';
import { envOrExit, runService } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';
import { parsePracticeEnv } from './env.ts';
import { createPracticeServer } from './server.ts';

const env = envOrExit(() => parsePracticeEnv(process.env));
const log = createLog('practice', env.LOG_LEVEL);

await runService(log, async (lifecycle) => {
  const server = createPracticeServer({
    log,
    token: env.PRACTICE_TOKEN,
    administratorId: env.ADMIN_USER_ID,
    nameForBot: env.PRACTICE_URL,
    stateFile: join(env.DATA_DIR, 'practice.json'),
  });
  lifecycle.onShutdown('practice chat', () => server.close());
  const url = await server.listen(env.PRACTICE_PORT, env.PRACTICE_BIND_ADDRESS);
  log.info({ url }, 'the practice chat is open');
});
