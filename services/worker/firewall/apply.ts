import type { FirewallState } from '../../../queues/host-facts.ts';
import { type Engine, isRefusal } from '../docker/engine.ts';
import { type ProbeOutput, runProbe } from '../docker/run-probe.ts';
import { type FirewallOrder, firewallRules, tableName } from './rules.ts';

/**
 * Puts the rules in place from a container in the host's network that may do nothing but administer it: the worker
 * itself then needs no rights, and may run anywhere. VMs have the same image, and the program nft, but no such right.
 */

export type Applied = {
  problem: FirewallState['problem'];
  detail: string;
  /** Another table had stood there, or none. */
  changed: boolean;
  /** The host's resolv.conf. */
  resolvConf: string;
};

type Where = { engine: Engine; image: string };

const hostConfig = {
  NetworkMode: 'host',
  UsernsMode: 'host', // Docker refuses the host's network to users who are not the host's
  Runtime: 'runc', // others bring a network stack of their own
  CapAdd: ['NET_ADMIN'],
  ReadonlyRootfs: true,
  SecurityOpt: ['no-new-privileges'],
};

/** What is read back is the proof. Ends with nft's status; its words go to standard error. */
const script = `
export LC_ALL=C
before=$(nft -s list table inet "$1" 2>/dev/null)
printf '%s' "$2" | nft -f - || exit
after=$(nft -s list table inet "$1") || exit
[ "$before" = "$after" ] && echo unchanged || echo changed
cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || echo 0
cat /etc/resolv.conf`;

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 200);

/** What is in the way when the program nft says so. */
const problemOf = ({ exitCode, stderr }: ProbeOutput): FirewallState['problem'] => {
  if (exitCode === 127 || /nft: not found/.test(stderr)) return 'nft-missing';
  if (/Operation not permitted|Permission denied/.test(stderr)) return 'not-permitted';
  return /not supported|No such file or directory|Invalid argument/.test(stderr) ? 'kernel' : 'failed';
};

const read = (output: ProbeOutput): Applied => {
  if (output.exitCode !== 0) {
    return { problem: problemOf(output), detail: oneLine(output.stderr), changed: false, resolvConf: '' };
  }
  const [change, bridgeFilter, ...resolvConf] = output.stdout.split('\n');
  return {
    problem: bridgeFilter === '1' ? null : 'bridges',
    detail: '',
    changed: change === 'changed',
    resolvConf: resolvConf.join('\n'),
  };
};

/** What is in the way when Docker makes or starts no such container. Throws what is no refusal. */
const problemOfRefusal = (error: unknown): Pick<Applied, 'problem' | 'detail'> => {
  if (!isRefusal(error)) throw error;
  const problem = /no such image/i.test(error.message)
    ? 'image-missing'
    : /permission denied|not permitted|user namespace|denied by|authorization/i.test(error.message)
      ? 'not-permitted'
      : 'failed';
  return { problem, detail: oneLine(error.message) };
};

/** Tries once. Throws RetryableError `docker-unreachable`; whatever else is in the way is the answer. */
export const applyRules = async ({ engine, image }: Where, order: FirewallOrder): Promise<Applied> => {
  const { instance } = order;
  const rules = [tableName(instance), firewallRules(order)];
  try {
    return read(await runProbe(engine, { instance, image, script, arguments: rules, hostConfig }));
  } catch (error) {
    return { ...problemOfRefusal(error), changed: false, resolvConf: '' };
  }
};

const checkScript = `
export LC_ALL=C
printf '%s' "$2" | nft --check -f - || exit
nft list table inet "$1" >/dev/null 2>&1 && echo present || echo absent
cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || echo 0`;

/** Whether the rules could be put in place, and whether any stand, without changing anything. Throws as applyRules. */
export const checkRules = async (
  { engine, image }: Where,
  order: FirewallOrder,
): Promise<Pick<Applied, 'problem' | 'detail'> & { present: boolean }> => {
  const { instance } = order;
  const rules = [tableName(instance), firewallRules(order)];
  try {
    const asked = { instance, image, script: checkScript, arguments: rules, hostConfig };
    const output = await runProbe(engine, asked);
    if (output.exitCode !== 0) {
      return { problem: problemOf(output), detail: oneLine(output.stderr), present: false };
    }
    const [found, bridgeFilter] = output.stdout.split('\n');
    return { problem: bridgeFilter === '1' ? null : 'bridges', detail: '', present: found === 'present' };
  } catch (error) {
    return { ...problemOfRefusal(error), present: false };
  }
};

/**
 * The resolv.conf of the host, or the one that Docker gives to containers of its own network where that is not the
 * host's. Empty where Docker makes no such container.
 */
export const readResolvConf = async (
  { engine, image }: Where,
  instance: string,
  network: 'host' | 'bridge',
): Promise<string> => {
  const ofNetwork = network === 'host' ? { ...hostConfig, CapAdd: [] } : { Runtime: 'runc' };
  try {
    const asked = { instance, image, script: 'cat /etc/resolv.conf', hostConfig: ofNetwork };
    return (await runProbe(engine, asked)).stdout;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return '';
  }
};

/** Removes the rules, where there are any. Throws an Error where that does not work. */
export const removeRules = async ({ engine, image }: Where, instance: string): Promise<void> => {
  const remove = 'printf "add table inet %s\ndelete table inet %s\n" "$1" "$1" | nft -f -';
  const program = { instance, image, script: remove, arguments: [tableName(instance)], hostConfig };
  const { exitCode, stderr } = await runProbe(engine, program);
  if (exitCode !== 0) throw new Error(`the rules stay: ${oneLine(stderr)}`);
};
