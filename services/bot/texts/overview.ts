import type { GatewayEntry } from '../../../queues/gateway-status.ts';
import type { FirewallState, GpuOffer, HostFacts } from '../../../queues/host-facts.ts';
import type { QueueCount } from '../../../queues/producer.ts';
import type { RedisState } from '../../../queues/redis-state.ts';
import { formatBytes, formatDuration } from '../format/numbers.ts';
import { bold, code, type FmtString, fmt, join } from '../format/rich-text.ts';
import { type DiskLook, diskLookInWords } from './disk.ts';
import { timeInWords } from './history.ts';
import { redisTroubleInWords } from './outages.ts';
import { vmCountInWords } from './parts.ts';
import { gpuOfferInWords } from './settings.ts';
import { type StrayInWords, strayInWords } from './strays.ts';
import { cpusInWords, statusInWords } from './vms.ts';

/** The administrators' overview. */

export type Overview = {
  instance: string;
  defaults: { memoryBytes: number; cpus: number; diskBytes: number; maxVms: number; gpu: boolean };
  maintenanceSince: string | null;
  people: { administrators: number; allowed: number; asking: number };
  vms: Record<string, number>;
  /** What no VM accounts for, on all hosts. */
  strays: readonly StrayInWords[];
  /** Without it nobody hears of workers, and what is said of hosts is from before. */
  redis: RedisState;
  hosts: HostInWords[];
  gateways: readonly GatewayEntry[];
};

export type HostInWords = {
  host: string;
  facts: HostFacts | null;
  gpu: GpuOffer | null;
  workers: { pid: number; startedAt: string }[];
  queues: readonly QueueCount[];
  /** What running VMs have been given. */
  given: { memoryBytes: number; cpus: number };
  /** Null while nobody has measured. */
  disks: DiskLook | null;
};

const settingsInWords = ({ defaults, maintenanceSince }: Overview): FmtString[] => [
  fmt`Without a plan: ${formatBytes(defaults.memoryBytes)} RAM, ${cpusInWords(defaults.cpus)}, ${formatBytes(defaults.diskBytes)} disk, ${vmCountInWords(defaults.maxVms)}`,
  fmt`GPU for new VMs: ${bold(defaults.gpu ? 'on' : 'off')}`,
  maintenanceSince === null
    ? fmt`Maintenance: off`
    : fmt`🔧 Maintenance: ${bold('on')} since ${timeInWords(maintenanceSince)} UTC`,
];

const countsInWords = (counts: Record<string, number>): string => {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const parts = Object.entries(counts).map(([status, count]) => `${count} ${status}`);
  return all === 0 ? 'none' : `${all} (${parts.join(', ')})`;
};

const queueInWords = ({ kind, waiting, active, delayed, oldestWaitMs }: QueueCount): string => {
  const parts = [
    `${active} running`,
    `${waiting} waiting${oldestWaitMs === null ? '' : ` (${formatDuration(oldestWaitMs)})`}`,
    ...(delayed > 0 ? [`${delayed} to be tried again`] : []),
  ];
  return `${kind}: ${parts.join(', ')}`;
};

const ways: Record<GatewayEntry['tunnel']['way'], string> = {
  named: 'a named Cloudflare tunnel',
  quick: 'a quick Cloudflare tunnel',
  fixed: 'the address of PUBLIC_URL',
  address: 'its own address, no tunnel',
};

const restartsInWords = (restarts: number): string => {
  if (restarts === 0) return '';
  return `, opened anew ${restarts === 1 ? 'once' : `${restarts} times`}`;
};

const gatewayInWords = ({ tunnel, pid, startedAt }: GatewayEntry): FmtString[] => {
  const { way, origin, program, wanted, connected, since, lastProblem, restarts } = tunnel;
  const isTunnel = way === 'named' || way === 'quick';
  const state = connected
    ? '🟢 connected'
    : wanted
      ? '🔴 not connected'
      : '⚪️ opened when somebody asks for a link';
  return [
    fmt``,
    fmt`🌐 ${bold('Gateway')} ${pid} since ${timeInWords(startedAt)}: ${origin}`,
    fmt`By ${ways[way]}${isTunnel ? `, ${state} since ${timeInWords(since)}${restartsInWords(restarts)}` : ''}`,
    fmt`cloudflared: ${program.version ?? 'not installed'}`,
    ...(lastProblem === null || program.version === null
      ? []
      : [fmt`Last problem, ${timeInWords(lastProblem.at)}: ${lastProblem.text}`]),
  ];
};

/** The button below shows all of them. */
const shownStrays = 3;
const straysBelow = (strays: readonly StrayInWords[]): FmtString[] => {
  if (strays.length === 0) return [];
  const more = strays.length - shownStrays;
  return [
    fmt`🔴 With Berth's label, and no VM accounts for it:`,
    ...strays.slice(0, shownStrays).map(strayInWords),
    ...(more > 0 ? [fmt`… and ${more} more`] : []),
  ];
};

const hostInWords = ({ host, facts, gpu, workers, queues, given, disks }: HostInWords): FmtString[] => [
  fmt``,
  fmt`🖥 ${bold(`Host ${host}`)}`,
  ...(facts === null
    ? [fmt`🔴 ${workers.length === 0 ? 'No worker answers.' : 'Docker does not answer.'}`]
    : [
        fmt`Docker ${facts.dockerVersion} on ${facts.operatingSystem}, ${cpusInWords(facts.cpus)}, ${formatBytes(facts.memoryBytes)} RAM${
          facts.disk === null
            ? ''
            : `, ${formatBytes(facts.disk.freeBytes)} of ${formatBytes(facts.disk.totalBytes)} disk free`
        }`,
        fmt`Given to running VMs: ${formatBytes(given.memoryBytes)} RAM, ${cpusInWords(given.cpus)}`,
        fmt`GPU: ${gpuOfferInWords(gpu)}`,
        facts.image === null
          ? fmt`VM image: not built yet; the first /create does it`
          : fmt`VM image: ${facts.image.name}, built ${timeInWords(facts.image.createdAt)} UTC${facts.image.current ? '' : ', from an older recipe: /rebuild_image'}`,
      ]),
  fmt`Workers: ${workers.length === 0 ? 'none' : workers.map(({ pid, startedAt }) => `process ${pid} since ${timeInWords(startedAt)}`).join(', ')}`,
  ...(queues.length === 0 ? [] : [fmt`Queues: ${queues.map(queueInWords).join('; ')}`]),
  ...(disks === null ? [] : [diskLookInWords(disks)]),
  ...(facts === null ? [] : protectionsInWords(facts)),
];

const mark = (active: boolean): string => (active ? '✅' : '❌');

/** Why VMs reach more than they should, and what an administrator can do about it. */
const firewallProblems: Record<NonNullable<FirewallState['problem']>, string> = {
  'image-missing':
    'the VM image, which brings what sets the rules, is not built yet; the first /create does it',
  'nft-missing': 'the VM image has no nft: /rebuild_image',
  'not-permitted': 'Docker may not set rules on the host: npm run doctor says how to do it by hand',
  kernel:
    "the host's kernel has no nftables, or lacks a part of it: sudo modprobe nf_tables, or a newer kernel",
  rootless: "Docker is rootless, and its network leads past the rules to the host's own addresses",
  bridges: 'the kernel does not filter bridges: sudo modprobe br_netfilter',
  failed: 'the rules could not be set; npm run doctor says more',
};

const firewallInWords = (firewall: FirewallState | null): FmtString[] => {
  if (firewall === null) return [fmt`❌ nobody has looked yet what VMs may reach`];
  const { problem, detail, mayReach } = firewall;
  const also = mayReach.length === 0 ? '' : `, except ${mayReach.join(', ')}`;
  if (problem === null) {
    return [fmt`✅ VMs reach neither each other nor the host nor private networks${also}`];
  }
  const said = detail === '' ? '' : ` (${detail})`;
  const reach =
    problem === 'bridges'
      ? 'VMs may reach each other'
      : "VMs may reach the host's own addresses and private networks";
  return [fmt`🔴 ${reach}: ${firewallProblems[problem]}${said}`];
};

const protectionsInWords = ({
  protections,
  firewall,
  vmRuntime,
  storageDriver,
  cgroupVersion,
}: HostFacts): FmtString[] => [
  fmt`🛡 Protections:`,
  fmt`${mark(protections.seccomp)} seccomp filter  ${mark(protections.appArmor)} AppArmor  ${mark(protections.userNamespaces)} user namespaces`,
  fmt`${mark(protections.memoryLimit)} memory  ${mark(protections.swapLimit)} swap  ${mark(protections.pidsLimit)} processes (cgroup v${cgroupVersion})`,
  protections.diskLimit
    ? fmt`✅ disk limits are enforced (${storageDriver}), homes are watched every minute`
    : fmt`❌ disk limits are watched every minute, not enforced (${storageDriver})`,
  ...firewallInWords(firewall),
  vmRuntime === 'runc' ? fmt`❌ VMs share the host's kernel (runtime runc)` : fmt`✅ runtime ${vmRuntime}`,
];

export const overviewInWords = (overview: Overview): FmtString =>
  join(
    [
      fmt`⚙️ ${bold('Berth')} (instance ${code(overview.instance)})`,
      ...settingsInWords(overview),
      fmt`People: ${overview.people.administrators} ${overview.people.administrators === 1 ? 'administrator' : 'administrators'}, ${overview.people.allowed} on the list${overview.people.asking === 0 ? '' : `, ${overview.people.asking} asking`}`,
      fmt`VMs: ${countsInWords(overview.vms)}`,
      ...straysBelow(overview.strays),
      ...(overview.redis === 'answers' ? [] : [redisTroubleInWords(overview.redis)]),
      ...overview.hosts.flatMap(hostInWords),
      ...(overview.gateways.length > 0
        ? overview.gateways.flatMap(gatewayInWords)
        : [fmt``, fmt`🌐 ${bold('Gateway')}: none answers, so there are no links into the browser`]),
    ],
    '\n',
  );

export type VmLine = {
  name: string;
  owner: FmtString;
  status: string;
  plan: string | null;
  port: number;
  gpu: boolean;
};

export const vmListPage = (
  lines: readonly VmLine[],
  { page, pages, all }: { page: number; pages: number; all: number },
): FmtString =>
  join(
    [
      fmt`🗂 ${bold(all === 1 ? '1 VM' : `${all} VMs`)}${pages > 1 ? `, page ${page + 1} of ${pages}` : ''}`,
      ...lines.map(
        ({ name, owner, status, plan, port, gpu }) =>
          fmt`${statusInWords(status)} ${bold(name)} of ${owner}${plan === null ? '' : `, ${plan}`}${gpu ? ', GPU' : ''}, port ${port}`,
      ),
    ],
    '\n',
  );
