import { z } from 'zod';
import { addPerson } from '../../services/practice/person-actions.ts';
import { createPracticeServer } from '../../services/practice/server.ts';
import { count, parseEnv } from '../../shared/env.ts';
import { envOrExit, runService } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';

/** A practice chat as a process of its own, in which many people have written to the bot already. */

const env = envOrExit(() =>
  parseEnv(z.object({ PEOPLE: count(10_000), PRACTICE_TOKEN: z.string() }), process.env),
);
const log = createLog('crowd', 'info');

await runService(log, async (lifecycle) => {
  const server = createPracticeServer({ token: env.PRACTICE_TOKEN, administratorId: 1, log });
  lifecycle.onShutdown('practice chat', () => server.close());
  for (let id = 2; id <= env.PEOPLE + 1; id += 1) {
    if (server.practice.world.person(id) === undefined) {
      addPerson(server.practice, { id, firstName: `P${id}`, languageCode: 'en', note: 'user' });
    }
    server.practice.world.person(id)!.started = true;
  }
  log.info({ url: await server.listen(0) }, 'the practice chat is open');
});
