import { readFile } from 'node:fs/promises';
import type { Engine } from '../../services/worker/docker/engine.ts';
import { isInstances } from '../../services/worker/docker/ownership.ts';
import { type Finding, failure, ok, warning } from './check.ts';

/** The ports that VMs are reached by: which of them are ours, which are somebody else's. */

type Range = { first: number; last: number };
type Wish = { range: Range; instance: string; bindAddress: string; others: number[] };

/** What listens on this machine, of /proc/net/tcp: `1: 0100007F:55F0 00000000:0000 0A …`, the address in host order. */
const listening = async (file: string): Promise<{ address: string; port: number }[]> =>
  (await readFile(file, 'utf8').catch(() => ''))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === '0A')
    .map(([, local = '']) => local.split(':'))
    .map(([address = '', port = '']) => ({ address, port: Number.parseInt(port, 16) }));

const hexOf = (address: string): string =>
  address
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0').toUpperCase())
    .reverse()
    .join('');

/** Ports of this machine that cannot be listened on at `bindAddress`. */
const takenPorts = async (bindAddress: string): Promise<number[]> => {
  const everywhere = /^[0:.]+$/;
  const conflicts = ({ address }: { address: string }) =>
    everywhere.test(bindAddress) || everywhere.test(address) || address === hexOf(bindAddress);
  const all = [...(await listening('/proc/net/tcp')), ...(await listening('/proc/net/tcp6'))];
  return all.filter(conflicts).map(({ port }) => port);
};

const ephemeral = async (): Promise<Range> => {
  const [first = 32_768, last = 60_999] = (await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'))
    .trim()
    .split(/\s+/)
    .map(Number);
  return { first, last };
};

const listOf = (ports: number[]): string =>
  `${ports.slice(0, 5).join(', ')}${ports.length > 5 ? ` and ${ports.length - 5} more` : ''}`;

export const checkSshPorts = async (engine: Engine, wish: Wish): Promise<Finding> => {
  const name = 'SSH ports';
  const { first, last } = wish.range;
  const inRange = (port: number) => port >= first && port <= last;
  const own = wish.others.filter(inRange);
  if (own.length > 0)
    return failure(
      name,
      `SSH_PORT_RANGE holds ${listOf(own)}, where Berth itself listens`,
      'Set SSH_PORT_RANGE or the other port so that they do not meet.',
    );
  const containers = await engine.call('listing containers', (docker) => docker.listContainers());
  const ports = new Set<number>();
  for (const { Labels, Ports } of containers)
    if (isInstances(Labels, wish.instance)) for (const { PublicPort } of Ports) ports.add(PublicPort);
  const ours = [...ports].filter(inRange);
  const foreign = [...new Set(await takenPorts(wish.bindAddress))]
    .filter((port) => inRange(port) && !ports.has(port))
    .sort((a, b) => a - b);
  const size = last - first + 1;
  const found = `${first}-${last}: ${ours.length} of ours, ${size - ours.length - foreign.length} free`;
  if (foreign.length > 0)
    return warning(
      name,
      `${found}, ${listOf(foreign)} in use by another program`,
      'A VM that is given such a port cannot start: set SSH_PORT_RANGE to ports of its own.',
    );
  const kernels = await ephemeral();
  return first <= kernels.last && kernels.first <= last
    ? warning(
        name,
        `${found}; the kernel gives ${kernels.first}-${kernels.last} to outgoing connections`,
        `Set SSH_PORT_RANGE below ${kernels.first}, or a connection may sit on a VM's port.`,
      )
    : ok(name, found);
};
