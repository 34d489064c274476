import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { removeEverythingOf } from '../../tests/support/docker.ts';
import { connectPractice, type PracticeClient } from '../../tests/support/practice-client.ts';
import { findFreePort } from '../../tests/support/redis.ts';

/** A whole Berth for the length of the demonstration, beside whatever runs on this machine; `stop` leaves nothing behind. */

export type DemoBerth = {
  chat: PracticeClient;
  instance: string;
  administrator: number;
  stop(): Promise<void>;
};

const administrator = 1001;
const script = join(import.meta.dirname, '../supervise/main.ts');

const launch = (env: NodeJS.ProcessEnv, cwd: string) =>
  // Of this process's environment only what is named: no token of a real Berth gets in. Nor does its .env, by the folder.
  execa(process.execPath, [script], { cwd, env, extendEnv: false, reject: false, buffer: false });

/** Resolves at the line that says so; rejects with everything it said when it ends before. */
const untilReady = (supervisor: ReturnType<typeof launch>): Promise<void> =>
  new Promise((resolve, reject) => {
    const said: string[] = [];
    for (const stream of [supervisor.stdout, supervisor.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        if (line.startsWith('Berth is ready')) resolve();
      });
    }
    void supervisor.then(() => reject(new Error(`Berth did not start:\n${said.join('\n')}`)));
  });

export const startDemoBerth = async (): Promise<DemoBerth> => {
  const instance = `demo-${Math.random().toString(36).slice(2, 8)}`;
  const dataDir = await mkdtemp(join(tmpdir(), `${instance}-`));
  const practicePort = await findFreePort();
  // Below the ports that the kernel gives to anybody.
  const first = 21_000 + Math.floor(Math.random() * 90) * 10;
  const { PATH, HOME, DOCKER_HOST, VM_IMAGE, VM_BASE_IMAGE } = process.env;
  const supervisor = launch(
    {
      ...{ PATH, HOME, DOCKER_HOST, VM_IMAGE, VM_BASE_IMAGE },
      INSTANCE: instance,
      DATA_DIR: dataDir,
      ADMIN_USER_ID: `${administrator}`,
      PRACTICE_PORT: `${practicePort}`,
      GATEWAY_PORT: `${await findFreePort()}`,
      SSH_PORT_RANGE: `${first}-${first + 9}`,
      TUNNEL: 'off',
    },
    dataDir,
  );
  let chat: PracticeClient | undefined;
  const stop = async (): Promise<void> => {
    chat?.close();
    supervisor.kill('SIGTERM');
    await supervisor;
    await removeEverythingOf(instance);
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await untilReady(supervisor);
    chat = await connectPractice(`http://127.0.0.1:${practicePort}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { chat, instance, administrator, stop };
};
