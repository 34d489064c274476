import { once } from 'node:events';
import { createServer } from 'node:net';
import type { FirewallState } from '../../queues/host-facts.ts';
import { type Engine, isRefusal } from '../../services/worker/docker/engine.ts';
import { runProbe } from '../../services/worker/docker/run-probe.ts';
import { checkRules } from '../../services/worker/firewall/apply.ts';
import type { Exception } from '../../services/worker/firewall/may-reach.ts';
import { type Finding, failure, ok, warning } from './check.ts';

/** Whether VMs can be, and are, held off the host and private networks: the rules, and one try whether they hold. */

type Order = { instance: string; image: string; mayReach: readonly Exception[] };

const name = 'firewall';

const advice: Record<NonNullable<FirewallState['problem']>, string> = {
  'image-missing': 'Run ./scripts/start first.',
  'nft-missing': 'Run ./scripts/start, which builds the VM image anew, or /rebuild_image in the chat.',
  'not-permitted':
    'Set the rules by hand, after each start of the host: npm run firewall --silent | sudo nft -f -',
  kernel: 'Load what is missing (sudo modprobe -a nf_tables nft_ct nft_reject_inet), or use another kernel.',
  rootless: 'Run Docker as root where people use VMs whom you do not trust.',
  bridges: 'Run: sudo modprobe br_netfilter && sudo sysctl -w net.bridge.bridge-nf-call-iptables=1',
  failed: 'See what the message says.',
};

/** The address of the host on the bridge of the VMs; null where there is no such bridge yet. */
const bridgeAddress = async (engine: Engine, instance: string): Promise<string | null> => {
  try {
    const { IPAM } = await engine.call('looking at the network', (docker) =>
      docker.getNetwork(instance).inspect(),
    );
    return IPAM?.Config?.find(({ Gateway }) => Gateway?.includes('.'))?.Gateway ?? null;
  } catch (error) {
    if (isRefusal(error, 404)) return null;
    throw error;
  }
};

/**
 * Whether something that listens on the host is reached from the bridge of the VMs. Null where it cannot be tried: there
 * is no bridge yet, or its address is another machine's.
 */
const isHostReached = async (engine: Engine, { instance, image }: Order): Promise<boolean | null> => {
  const address = await bridgeAddress(engine, instance);
  if (address === null) return null;
  const server = createServer((socket) => socket.on('error', () => socket.destroy()).end()).listen(
    0,
    address,
  );
  try {
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const knock = `timeout 3 bash -c '</dev/tcp/${address}/${port}' 2>/dev/null && echo reached || echo not reached`;
    const hostConfig = { NetworkMode: instance, Runtime: 'runc' };
    const { stdout } = await runProbe(engine, { instance, image, script: knock, hostConfig });
    return stdout.trim() === 'reached';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL') return null;
    throw error;
  } finally {
    server.close();
  }
};

export const checkFirewall = async (engine: Engine, order: Order, rootless: boolean): Promise<Finding> => {
  const { instance, image, mayReach } = order;
  const checked = await checkRules({ engine, image }, { instance, mayReach, resolvers: [] });
  const problem = checked.problem ?? (rootless ? 'rootless' : null);
  if (problem === 'image-missing') return warning(name, 'not known without the VM image', advice[problem]);
  if (problem !== null) {
    const said = checked.detail === '' ? problem : `${problem}: ${checked.detail}`;
    return failure(name, `VMs are not held off the host and private networks (${said})`, advice[problem]);
  }
  if (!checked.present) return ok(name, 'can be set; a worker does it at its start');
  const reached = await isHostReached(engine, order);
  if (reached === true) {
    return failure(
      name,
      'its rules stand, and a container reaches the host all the same',
      'Look for who accepts it before them: sudo nft list ruleset; then start Berth anew.',
    );
  }
  const tried = reached === false ? '; tried: a container does not reach the host' : '';
  return ok(name, `VMs reach neither each other, the host nor private networks${tried}`);
};
