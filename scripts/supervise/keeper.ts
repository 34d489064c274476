import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Keeps one process running: starts it, knows when it is ready, starts it again when it dies, with a growing delay,
 * and ends it when told.
 */

export type Kept = {
  name: string;
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** Open files that it inherits, from descriptor 4 on. */
  files?: readonly number[];
  /** Says when it is ready: a line of its output. */
  isReady: (line: string) => boolean;
  log: { write(text: string): unknown };
  /** Tells the person in the foreground. */
  tell: (text: string) => void;
};

export type Keeper = {
  readonly name: string;
  /** Resolves when it is ready for the first time; rejects when it cannot be brought to that. */
  readonly ready: Promise<void>;
  /** Ends it, by force after `deadline` milliseconds. */
  stop(deadline: number): Promise<void>;
  /** Ends it by force, now. */
  kill(): void;
};

const firstDelay = 1_000;
const longestDelay = 30_000;
/** After a minute of health the next death counts as the first one. */
const healthy = 60_000;
/** How often a process may die before it was ever ready. */
const firstStarts = 3;

/** A fault in the settings: no second try will mend it. */
const isConfigurationFault = (output: string): boolean => output.includes('Wrong configuration');

const warning = /"level":"(warn|error|fatal)"/;

/** Its last words come within this time (milliseconds) of its end. */
const lastWords = 1_000;

/**
 * How it ended, in words, once all it said is here. A process of its own that keeps the output open does not keep
 * it from being started again.
 */
const untilEnded = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message)); // it could not be started
    child.once('exit', (status, signal) => {
      const end = signal ?? `status ${status}`;
      const late = setTimeout(resolve, lastWords, end);
      child.once('close', () => {
        clearTimeout(late);
        resolve(end);
      });
    });
  });

/** A pino line as a person reads it. */
const readable = (line: string): string => {
  try {
    const { msg, err, operationId } = JSON.parse(line) as Record<string, unknown>;
    const reason = (err as { message?: string } | undefined)?.message;
    const about = operationId === undefined ? '' : ` (${String(operationId)})`;
    return `${String(msg)}${reason === undefined || reason === msg ? '' : `: ${reason}`}${about}`;
  } catch {
    return line;
  }
};

export const keep = ({ name, command, args, env, files = [], isReady, log, tell }: Kept): Keeper => {
  const ready = Promise.withResolvers<void>();
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let wasReady = false;
  let deaths = 0;
  let output = '';

  const take = (line: string): void => {
    log.write(`${line}\n`);
    if (!wasReady) output = `${output}${line}\n`.slice(-4_000);
    if (warning.test(line)) tell(`${name}: ${readable(line)}`);
    if (isReady(line)) {
      if (wasReady) tell(`${name} runs again`);
      wasReady = true;
      ready.resolve();
    }
  };

  const runOnce = async (): Promise<string> => {
    // A group of its own: Ctrl-C reaches the supervisor alone, which ends everything in order.
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'ipc', ...files];
    child = spawn(command, args, { env, stdio, detached: true });
    createInterface({ input: child.stdout! }).on('line', take);
    createInterface({ input: child.stderr! }).on('line', take);
    return untilEnded(child);
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      const end = await runOnce();
      if (stopping.signal.aborted) return;
      deaths = performance.now() - startedAt > healthy ? 1 : deaths + 1;
      if (!wasReady && (isConfigurationFault(output) || deaths >= firstStarts)) {
        ready.reject(
          new Error(`${name} ended with ${end}:\n${output.trim().split('\n').map(readable).join('\n')}`),
        );
        return;
      }
      const delay = Math.min(firstDelay * 2 ** (deaths - 1), longestDelay);
      tell(`${name} ended (${end}); it is started again in ${delay / 1_000} s`);
      await pause(delay, undefined, { signal: stopping.signal }).catch(() => undefined); // told to stop meanwhile
    }
  };

  const ended = run();
  return {
    name,
    ready: ready.promise,
    async stop(deadline) {
      stopping.abort();
      child?.kill('SIGTERM');
      const force = setTimeout(() => child?.kill('SIGKILL'), deadline);
      await ended;
      clearTimeout(force);
    },
    kill() {
      stopping.abort();
      child?.kill('SIGKILL');
    },
  };
};
