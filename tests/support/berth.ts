import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createPracticeServer, type PracticeServer } from '../../services/practice/server.ts';
import { removeEverythingOf } from './docker.ts';
import { connectPractice, type Participant, type PracticeClient } from './practice-client.ts';
import { startRedis } from './redis.ts';
import { type ServiceProcess, startService } from './service-process.ts';

/**
 * A whole Berth for one test file: its own Redis, database, practice chat, bot and workers as real processes, on
 * the machine's Docker engine under an instance name of its own. `stop` leaves nothing behind.
 */

export const administratorId = 4001;
const token = '7000001:a-token-that-only-this-test-knows-000';

export type Berth = {
  readonly instance: string;
  readonly dataDir: string;
  readonly chat: PracticeClient;
  /** The server behind it, in this process. */
  readonly practice: PracticeServer;
  readonly redis: Awaited<ReturnType<typeof startRedis>>;
  /** The administrator in their own chat; may use everything. */
  readonly admin: Participant;
  /** The variables of its processes, to start others like them. */
  readonly env: { bot: NodeJS.ProcessEnv; worker: NodeJS.ProcessEnv };
  bot(): ServiceProcess;
  workers(): ServiceProcess[];
  startBot(env?: NodeJS.ProcessEnv): Promise<ServiceProcess>;
  startWorker(env?: NodeJS.ProcessEnv): Promise<ServiceProcess>;
  /** A person on the list, in their own chat. */
  newUser(firstName: string, plan?: number): Promise<Participant>;
  stop(): Promise<void>;
};

/** Ports of one test file apart from those of the files beside it. */
const portRange = (): string => {
  const first = 23_000 + Math.floor(Math.random() * 350) * 100;
  return `${first}-${first + 99}`;
};

export const startBerth = async ({
  workers = 1,
  env = {} as NodeJS.ProcessEnv,
  /** Whether Redis keeps anything when it is killed. */
  appendOnly = true,
} = {}): Promise<Berth> => {
  const instance = `test-${Math.random().toString(36).slice(2, 10)}`;
  const dataDir = await mkdtemp(join(tmpdir(), `${instance}-`));
  const redis = await startRedis({ appendOnly });
  const practice = createPracticeServer({
    token,
    administratorId,
    log: pino({ level: 'silent' }),
  });
  const practiceUrl = await practice.listen(0);
  const chat = await connectPractice(practiceUrl);

  const common = {
    REDIS_URL: redis.url,
    INSTANCE: instance,
    LOG_LEVEL: 'debug',
    // scripts/test says what this machine builds VMs from.
    VM_BASE_IMAGE: process.env.VM_BASE_IMAGE,
    ...env,
  };
  const botEnv = {
    ...common,
    DATA_DIR: dataDir,
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_API_ROOT: practiceUrl,
    ADMIN_USER_ID: `${administratorId}`,
    SSH_PORT_RANGE: portRange(),
    EXEC_TIMEOUT: '10',
    ...env,
  };
  let bot: ServiceProcess | undefined;
  const workerProcesses: ServiceProcess[] = [];
  let users = 0;

  const berth: Berth = {
    instance,
    dataDir,
    chat,
    practice,
    redis,
    admin: chat.person(administratorId),
    env: { bot: botEnv, worker: common },
    bot: () => bot!,
    workers: () => workerProcesses,
    async startBot(extra = {}) {
      bot = await startService('bot', 'services/bot/main.ts', { ...botEnv, ...extra });
      return bot;
    },
    async startWorker(extra = {}) {
      const worker = await startService('worker', 'services/worker/main.ts', { ...common, ...extra });
      workerProcesses.push(worker);
      return worker;
    },
    async newUser(firstName, plan = 1) {
      users += 1;
      const { id } = await chat.addPerson({ firstName, id: 50_000 + users });
      const person = chat.person(id);
      await person.ask('/start');
      await berth.admin.ask(`/allow_user ${id} ${plan}`, ({ text }) => text.includes(`${id}`));
      await chat.waitForMessage(id, ({ text }) => text.includes('You may use Berth now'));
      return person;
    },
    async stop() {
      await Promise.all([bot, ...workerProcesses].map((service) => service?.end()));
      chat.close();
      await practice.close();
      await redis.stop();
      await removeEverythingOf(instance);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  try {
    await berth.startBot();
    await Promise.all(Array.from({ length: workers }, () => berth.startWorker()));
  } catch (error) {
    await berth.stop();
    throw error;
  }
  return berth;
};
