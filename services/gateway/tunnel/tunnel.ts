import type { openTunnel, Result } from '../../../queues/catalog.ts';
import type { TunnelStatus } from '../../../queues/gateway-status.ts';
import { DeadlineError, withDeadline } from '../../../shared/lifecycle.ts';
import type { Log } from '../../../shared/log.ts';
import { type ChildEnv, isAtLeast, readVersion, sweepFolders } from './child.ts';
import { isNamedConfigured, type TunnelEnv } from './env.ts';
import type { NamedSettings } from './named.ts';
import { followNeighbour, handOverToken, readNeighboursVersion } from './neighbour.ts';
import { openOnce, type Protocol, type Running } from './open-once.ts';
import { createProbe } from './probe.ts';
import { notes, TunnelProblem } from './problems.ts';
import { supervise, type Timings, timings } from './supervise.ts';

/**
 * Glossary.
 * tunnel — an address of Cloudflare's that leads to this gateway, without an open port; cloudflared holds it open.
 * quick — under a name by chance, without an account; it changes with every start.
 * named — under a host name of one's own, set up through Cloudflare's API.
 * way — how people reach the gateway: named, quick, fixed (an address of the operator's own), address (the gateway's).
 * neighbour — a cloudflared in a container of its own, which the gateway only watches.
 * origin — scheme, host and port that links begin with.
 */

export type OpenTunnel = Result<typeof openTunnel>;

/** The first cloudflared that takes its token from a file. */
export const tokenFileSince = '2025.4.0';

export type TunnelDeps = {
  env: TunnelEnv;
  instance: string;
  /** The gateway's own address, `http://127.0.0.1:8080`; the tunnel leads there, unless the settings say where. */
  address: string;
  log: Log;
  /** At every change of the status. */
  onChange?: () => void;
  times?: Partial<Timings>;
};

export const childEnvOf = ({ PATH, SSL_CERT_FILE, SSL_CERT_DIR }: TunnelEnv): ChildEnv => ({
  PATH,
  ...(SSL_CERT_FILE === undefined ? {} : { SSL_CERT_FILE }),
  ...(SSL_CERT_DIR === undefined ? {} : { SSL_CERT_DIR }),
});

export const createTunnel = (deps: TunnelDeps) => {
  const { env, instance, address, log, onChange = () => undefined } = deps;
  const isNamed = env.TUNNEL === 'named' || (env.TUNNEL === 'auto' && isNamedConfigured(env));
  const mayTunnel = env.PUBLIC_URL === undefined && env.TUNNEL !== 'off';
  const childEnv = childEnvOf(env);
  const program = env.CLOUDFLARED_BIN;
  const neighbour = env.CLOUDFLARED_METRICS;
  const target = env.TUNNEL_TARGET ?? address;
  const probe = createProbe(env.TUNNEL_PROBE_VIA);
  const since = new Date().toISOString();
  let version: string | null = null;
  let protocol: Protocol = 'auto';

  const open = {
    program,
    instance,
    target,
    childEnv,
    probe,
    log,
  };
  const namedSettings = (): NamedSettings => ({
    token: env.CLOUDFLARE_TOKEN!,
    accountId: env.CLOUDFLARE_ACCOUNT_ID!,
    hostname: env.CLOUDFLARE_HOSTNAME!,
    apiRoot: env.CLOUDFLARE_API_ROOT,
    instance,
    target,
  });
  const setUp = async (settings: NamedSettings, signal: AbortSignal): Promise<string> => {
    // Half a second and much memory, which only those pay who have such a tunnel.
    const { setUpNamedTunnel } = await import('./named.ts');
    return await setUpNamedTunnel(settings, signal);
  };
  const openBy = async (
    by: Protocol,
    signal: AbortSignal,
    onOrigin: (origin: string) => void,
  ): Promise<Running> => {
    if (!isNamed) return await openOnce({ way: 'quick', protocol: by }, open, signal, onOrigin);
    const settings = namedSettings();
    const token = await setUp(settings, signal);
    const origin = `https://${settings.hostname}`;
    return await openOnce({ way: 'named', protocol: by, origin, token }, open, signal, onOrigin);
  };
  const openEither = async (signal: AbortSignal, onOrigin: (origin: string) => void): Promise<Running> => {
    try {
      return await openBy(protocol, signal, onOrigin);
    } catch (error) {
      if (!(error instanceof TunnelProblem) || error.code !== 'quic-blocked' || signal.aborted) throw error;
      log.warn({ reason: error.text }, 'trouble with the tunnel');
      protocol = 'http2'; // and it stays so: cloudflared's own way there takes a minute
      return await openBy(protocol, signal, onOrigin);
    }
  };
  const checked = async (signal: AbortSignal, onOrigin: (origin: string) => void): Promise<Running> => {
    version = await readVersion(program, childEnv);
    if (version === null) throw new TunnelProblem('not-installed');
    if (isNamed && !isAtLeast(version, tokenFileSince)) throw new TunnelProblem('too-old');
    return await openEither(signal, onOrigin);
  };
  const follow = async (
    base: string,
    signal: AbortSignal,
    onOrigin: (origin: string) => void,
  ): Promise<Running> => {
    // It starts once it has a token.
    if (isNamed) await handOverToken(env.TUNNEL_TOKEN_PATH!, await setUp(namedSettings(), signal));
    version = await readNeighboursVersion(base);
    if (version === null) throw new TunnelProblem('not-running');
    const named = isNamed ? `https://${env.CLOUDFLARE_HOSTNAME}` : null;
    return await followNeighbour({ base, named, probe }, signal, onOrigin);
  };
  const times: Timings = { ...timings, ...deps.times };
  const supervisor = supervise({
    openOnce: (signal, onOrigin) =>
      neighbour === undefined ? checked(signal, onOrigin) : follow(neighbour, signal, onOrigin),
    always: mayTunnel && (isNamed || env.TUNNEL === 'quick'),
    onChange,
    log,
    times,
  });

  const wish = async (signal: AbortSignal): Promise<string> => {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    signal.throwIfAborted();
    try {
      return await withDeadline(Promise.race([supervisor.wish(), aborted]), times.answer, 'the tunnel');
    } catch (error) {
      throw error instanceof DeadlineError ? (supervisor.trouble() ?? new TunnelProblem('slow')) : error;
    }
  };

  return {
    /** Where the settings want a tunnel at all times, it is opened now; otherwise at the first wish. */
    async begin(): Promise<void> {
      if (!mayTunnel) return;
      if (neighbour === undefined) await sweepFolders(instance);
      version = await (neighbour === undefined
        ? readVersion(program, childEnv)
        : readNeighboursVersion(neighbour));
      onChange();
      if (supervisor.state().wanted) supervisor.begin();
    },
    /**
     * An address under which people reach the gateway, within a minute. Where the settings leave the choice (`auto`), the
     * gateway's own is better than none; where they want a tunnel, rejects with a TunnelProblem. The note says which way
     * it is and why.
     */
    async open(signal: AbortSignal): Promise<OpenTunnel> {
      if (env.PUBLIC_URL !== undefined) return { origin: env.PUBLIC_URL, way: 'fixed', note: notes.fixed };
      if (env.TUNNEL === 'off') return { origin: address, way: 'address', note: notes.off };
      try {
        const origin = await wish(signal);
        if (isNamed) return { origin, way: 'named', note: notes.named(env.CLOUDFLARE_HOSTNAME!) };
        const { changedAt } = supervisor.state();
        const quick = notes.quick(env.TUNNEL === 'quick');
        return {
          origin,
          way: 'quick',
          note: changedAt === null ? quick : `${quick} ${notes.changed(changedAt)}`,
        };
      } catch (error) {
        if (!(error instanceof TunnelProblem) || env.TUNNEL !== 'auto' || error.code === 'closing')
          throw error;
        return { origin: address, way: 'address', note: notes.address(error) };
      }
    },
    status(): TunnelStatus {
      const state = supervisor.state();
      const common = { program: { version }, lastProblem: state.lastProblem, restarts: state.restarts };
      if (!mayTunnel) {
        const isFixed = env.PUBLIC_URL !== undefined;
        const way = isFixed ? ('fixed' as const) : ('address' as const);
        return { ...common, way, origin: env.PUBLIC_URL ?? address, wanted: false, connected: false, since };
      }
      return {
        ...common,
        way: isNamed ? 'named' : version === null ? 'address' : 'quick',
        origin: state.origin ?? address,
        wanted: state.wanted,
        connected: state.connected,
        since: state.since,
      };
    },
    /** Under which origin requests may come in now, besides the gateway's own address. */
    publicOrigin: (): string => env.PUBLIC_URL ?? supervisor.state().origin ?? address,
    close: () => supervisor.close(),
  };
};
export type Tunnel = ReturnType<typeof createTunnel>;
