import Docker from 'dockerode';
import { RetryableError } from '../../../queues/errors.ts';
import { sideEffect } from '../../../shared/failpoint.ts';
import { withDeadline } from '../../../shared/lifecycle.ts';

/**
 * Glossary.
 * engine — the Docker daemon of this host. dockerode has no deadlines, and a call whose daemon dies in the
 *   middle of its answer never settles: so every call goes through `Engine.call`, which always does.
 * refusal — Docker answered, and the answer is no.
 * unknown outcome — Docker did not answer: what was asked may have happened. Look, never repeat blindly.
 */

export type CallOptions = {
  /** Milliseconds until Docker counts as away. */
  deadline?: number;
  /** Ends the waiting. Leave it out where the outcome must be known to undo it. */
  signal?: AbortSignal;
};

export type Engine = {
  /**
   * Runs one call. Throws a DockerRefusal when Docker says no, RetryableError `docker-unreachable` when it
   * does not answer in time or at all, and the signal's reason once that aborts.
   */
  call<T>(
    what: string,
    run: (docker: Docker, signal: AbortSignal) => Promise<T>,
    options?: CallOptions,
  ): Promise<T>;
};

/** An engine that can also be told that answers which did not come by now never will. */
export type LeavableEngine = Engine & {
  /**
   * Gives up calls begun before `moment` (of performance.now()): they count as unanswered. Those that may take minutes, as
   * a build, are left to their own deadline.
   */
  leaveCallsBegunBefore(moment: number): void;
};

/** A call with a longer deadline is known to be long, milliseconds. */
const longCall = 60_000;

/** Docker's own no, with its HTTP status. */
export class DockerRefusal extends Error {
  override name = 'DockerRefusal';
  readonly status: number;

  constructor(what: string, status: number, message: string) {
    super(`${what}: ${message}`);
    this.status = status;
  }
}

export const isRefusal = (error: unknown, ...statuses: number[]): error is DockerRefusal =>
  error instanceof DockerRefusal && (statuses.length === 0 || statuses.includes(error.status));

export const isUnreachable = (error: unknown): boolean =>
  error instanceof RetryableError && error.code === 'docker-unreachable';

/** docker-modem puts the status before what Docker said, and does not give that alone when it came as a stream. */
const withoutStatus = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/^\(HTTP code \d+\) .*? - /, '') : '';

const translate = (what: string, error: unknown): unknown => {
  if (error instanceof RetryableError || error instanceof DockerRefusal) return error;
  const { statusCode, json, code } = error as { statusCode?: unknown; json?: unknown; code?: unknown };
  if (typeof statusCode === 'number') {
    const said = (json as { message?: unknown } | null | undefined)?.message;
    const message = typeof said === 'string' ? said : withoutStatus(error);
    return new DockerRefusal(what, statusCode, message.trim());
  }
  return new RetryableError('docker-unreachable', typeof code === 'string' ? `${what}: ${code}` : what);
};

/** Fulfils never; rejects with the signal's reason. `done` takes the listener off again. */
const rejection = (signal: AbortSignal, done: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done });
  });

const connectionOf = (dockerHost: string): Docker.DockerOptions => {
  if (dockerHost.startsWith('unix://')) return { socketPath: dockerHost.slice('unix://'.length) };
  const { hostname, port, protocol } = new URL(dockerHost);
  // The certificates of DOCKER_CERT_PATH are docker-modem's business.
  return {
    host: hostname,
    port,
    ...(protocol === 'tcp:' ? {} : { protocol: protocol === 'https:' ? 'https' : 'http' }),
  };
};

/** `dockerHost` as in DOCKER_HOST: `unix:///var/run/docker.sock` or `tcp://host:2375`. */
export const createEngine = (dockerHost: string): LeavableEngine => {
  const docker = new Docker(connectionOf(dockerHost));
  const underWay = new Set<{ begun: number; deadline: number; leave: (reason: Error) => void }>();
  return {
    leaveCallsBegunBefore(moment) {
      for (const { begun, deadline, leave } of underWay) {
        if (begun < moment && deadline <= longCall) leave(new Error('no answer came'));
      }
    },
    async call(what, run, { deadline = 10_000, signal } = {}) {
      signal?.throwIfAborted();
      const leaving = new AbortController();
      const settled = new AbortController();
      const left = Promise.withResolvers<never>();
      const entry = { begun: performance.now(), deadline, leave: left.reject };
      underWay.add(entry);
      try {
        const attempt = sideEffect(`docker: ${what}`, () => run(docker, leaving.signal));
        const answer = Promise.race([attempt, left.promise]);
        const work = signal ? Promise.race([answer, rejection(signal, settled.signal)]) : answer;
        return await withDeadline(work, deadline, what);
      } catch (error) {
        leaving.abort(); // closes the connection of a call that is left behind
        if (signal?.aborted) throw signal.reason;
        throw translate(what, error);
      } finally {
        underWay.delete(entry);
        settled.abort();
      }
    },
  };
};
