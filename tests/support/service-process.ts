import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { linkSecret } from '../../queues/testing/link-secret.ts';

/** One of Berth's services as a real process, as in production; its log lines are kept to look into. */

export type LogLine = { msg?: string; level?: string; [field: string]: unknown };

export type ServiceProcess = {
  readonly name: string;
  readonly pid: number;
  lines(): LogLine[];
  /** Everything it wrote, standard error included. */
  output(): string;
  waitForLine(matches: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>;
  /** Sends the signal and waits for the end; gives the exit status, or the signal that ended it. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
  signal(signal: NodeJS.Signals): void;
  /** What it sends over the channel to its parent; nothing in production, but for what a test preloads. */
  onMessage(listener: (message: unknown) => void): void;
  /** Nothing where the process has ended. */
  send(message: string): void;
  readonly exited: Promise<number | NodeJS.Signals | null>;
};

const root = join(import.meta.dirname, '../..');

export const startProcess = (name: string, script: string, env: NodeJS.ProcessEnv): ServiceProcess => {
  // Services started one by one have to be told it; the supervisor makes its own.
  const known = script.startsWith('services/') ? { LINK_SECRET: linkSecret } : {};
  const child: ChildProcess = spawn(process.execPath, [join(root, script)], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...known, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const lines: LogLine[] = [];
  const watchers = new Set<(line: LogLine) => void>();
  let output = '';
  const take = (text: string): void => {
    output += `${text}\n`;
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as LogLine;
    lines.push(line);
    for (const watcher of [...watchers]) watcher(line);
  };
  createInterface({ input: child.stdout! }).on('line', take);
  createInterface({ input: child.stderr! }).on('line', take);
  const exited = once(child, 'exit').then(
    ([status, signal]) => (signal ?? status) as number | NodeJS.Signals,
  );

  return {
    name,
    pid: child.pid!,
    exited,
    lines: () => lines,
    output: () => output,
    signal: (signal) => child.kill(signal),
    onMessage: (listener) => child.on('message', listener),
    send: (message) => {
      if (child.connected) child.send(message, () => undefined); // it may end at this very moment
    },
    async end(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
    waitForLine(matches, timeoutMs = 20_000) {
      const found = lines.find(matches);
      if (found !== undefined) return Promise.resolve(found);
      const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
      const watcher = (line: LogLine) => matches(line) && resolve(line);
      watchers.add(watcher);
      const timer = setTimeout(() => reject(new Error(`${name} never said that:\n${output}`)), timeoutMs);
      void exited.then(() => reject(new Error(`${name} ended first:\n${output}`)));
      return promise.finally(() => {
        clearTimeout(timer);
        watchers.delete(watcher);
      });
    },
  };
};

/** Starts a service and waits until it says that it is ready. */
export const startService = async (
  name: string,
  script: string,
  env: NodeJS.ProcessEnv,
): Promise<ServiceProcess> => {
  const service = startProcess(name, script, env);
  try {
    // A machine that does much else takes its time.
    await service.waitForLine(({ msg }) => msg === 'ready', 60_000);
  } catch (error) {
    await service.end('SIGKILL'); // nobody else knows of it, and would end it
    throw error;
  }
  return service;
};
