import { Telegraf, TelegramError } from 'telegraf';
import { createLog } from '../../../shared/log.ts';
import { connectPractice, type PracticeClient } from '../../../tests/support/practice-client.ts';
import { createPracticeServer, type PracticeServer } from '../server.ts';

/** A practice chat on a free port, a test's hand in it, and telegraf's own client as the bot. */
export type Fixture = {
  server: PracticeServer;
  url: string;
  client: PracticeClient;
  telegram: Telegraf['telegram'];
  close(): Promise<void>;
};

export const testToken = '1000000:a-token-that-only-the-tests-use';
export const administrator = 1001;

export const openFixture = async (stateFile?: string): Promise<Fixture> => {
  const log = createLog('practice', 'silent');
  const server = createPracticeServer({ log, token: testToken, administratorId: administrator, stateFile });
  const url = await server.listen(0);
  const client = await connectPractice(url);
  const { telegram } = new Telegraf(testToken, { telegram: { apiRoot: url } });
  const close = async () => {
    client.close();
    await server.close();
  };
  return { server, url, client, telegram, close };
};

/** What a call was refused with, as `400 Bad Request: …`. */
export const refusalOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
  } catch (error) {
    if (error instanceof TelegramError) return `${error.code} ${error.description}`;
    throw error;
  }
  throw new Error('the call was not refused');
};
