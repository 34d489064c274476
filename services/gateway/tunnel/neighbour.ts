import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ask, originOf } from './metrics-port.ts';
import type { Running } from './open-once.ts';
import type { Probe } from './probe.ts';
import { TunnelProblem } from './problems.ts';

/**
 * A cloudflared that somebody else starts, in a container of its own: found and watched by its metrics port. It cannot be
 * started anew from here; whoever runs it does that, and a quick tunnel then has another address, which counts as the end
 * of the one before.
 */

/** `2025.8.1`; null while it does not answer. */
export const readNeighboursVersion = async (base: string): Promise<string | null> => {
  const answer = await ask(`${base}/metrics`);
  if (answer?.status !== 200) return null;
  return /^build_info\{[^}]*\bversion="([^"]{1,40})"/m.exec(await answer.text())?.[1] ?? 'unknown';
};

/** What cloudflared reads at its start. Whoever reads at the same time finds the old one, the new one or none. */
export const handOverToken = async (path: string, token: string): Promise<void> => {
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known === token) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, token, { mode: 0o600 });
  await rename(`${path}.new`, path);
};

const readHostname = async (base: string): Promise<string | null> => {
  const answer = await ask(`${base}/quicktunnel`);
  if (answer?.status !== 200) return null;
  const { hostname } = (await answer.json()) as { hostname?: string };
  return hostname ? originOf(hostname) : null;
};

/**
 * Resolves when its tunnel really leads to the gateway. `named`: the origin of a named tunnel, null for a quick one.
 * Rejects with a TunnelProblem. `signal` bounds the opening, and `onOrigin` hears the address before it is tried out.
 */
export const followNeighbour = async (
  { base, named, probe }: { base: string; named: string | null; probe: Probe },
  signal: AbortSignal,
  onOrigin: (origin: string) => void,
): Promise<Running> => {
  const readOrigin = async () => named ?? (await readHostname(base));
  const isReady = async () => (await ask(`${base}/ready`))?.status === 200;
  let reached: 'slow' | 'edge-unreachable' | 'not-answering' = 'slow';
  const until = async <T>(look: () => Promise<T | null>): Promise<T> => {
    for (let wait = 100; ; wait = Math.min(wait * 1.5, 1_000)) {
      const found = await look();
      if (found !== null) return found;
      if (signal.aborted) throw new TunnelProblem(reached);
      await delay(wait, undefined, { signal }).catch(() => undefined); // said by the next look
    }
  };
  const origin = await until(readOrigin);
  onOrigin(origin);
  reached = 'edge-unreachable';
  await until(async () => (await isReady()) || null);
  reached = 'not-answering';
  await until(async () => (await probe(origin, signal)) || null);

  const ended = Promise.withResolvers<TunnelProblem>();
  return {
    origin,
    async isConnected() {
      if (!(await isReady())) return false;
      const now = await readOrigin();
      if (now === origin) return true;
      if (now !== null) ended.resolve(new TunnelProblem('ended'));
      return false;
    },
    ended: ended.promise,
    problem: () => null,
    onChange: () => () => undefined,
    stop: async () => undefined,
  };
};
