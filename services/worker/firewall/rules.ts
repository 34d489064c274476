import { createHash } from 'node:crypto';
import { interfacePrefix } from '../docker/network.ts';
import { type Exception, isIpv6Range } from './may-reach.ts';
import { privateIpv4, privateIpv6 } from './ranges.ts';

/**
 * What a VM may reach: the internet and DNS; not another VM, not the host, no private network.
 *
 * The rules are a table of nftables of their own, before Docker's and everybody else's: a refusal here is final, and
 * nobody who clears or reloads their own rules touches these. What passes here still goes through the others.
 */

/** The table's name, in the family `inet`. */
export const tableName = (instance: string): string =>
  `berth_${createHash('sha256').update(instance).digest('hex').slice(0, 12)}`;

const refuse = 'jump refused';
/**
 * Said at once, so that programs do not wait for a time-out; by ICMP the kernel says so once a second. Who asked for an
 * address that is handed on to another one hears nothing: the answer comes from the address behind.
 */
const refusals = ['meta l4proto tcp reject with tcp reset', 'reject with icmpx admin-prohibited'];

/**
 * By the address that the VM asked for, which Docker may have replaced by that of a container. The same port of
 * another address does not pass.
 */
const accept = ({ range, port }: Exception): string[] => {
  const to = `ct original ${isIpv6Range(range) ? 'ip6' : 'ip'} daddr ${range}`;
  if (port === null) return [`${to} accept`];
  return ['tcp', 'udp'].map(
    (protocol) => `${to} meta l4proto ${protocol} ct original proto-dst ${port} accept`,
  );
};

export type FirewallOrder = {
  instance: string;
  mayReach: readonly Exception[];
  /** Addresses of the DNS servers that Docker gives to containers. */
  resolvers: readonly string[];
};

/** A script for `nft -f -` that puts the whole table in place of whatever bears its name, in one step. */
export const firewallRules = ({ instance, mayReach, resolvers }: FirewallOrder): string => {
  const table = `inet ${tableName(instance)}`;
  const fromVms = `iifname != "${interfacePrefix(instance)}*" accept`;
  const exceptions = [...mayReach, ...resolvers.map((range) => ({ range, port: 53 }))];
  const lines = (rules: string[]) => rules.map((rule) => `    ${rule}`).join('\n');
  return `add table ${table}
delete table ${table}
table ${table} {
  comment "Berth, instance ${instance}: what its VMs may reach"
  chain passing_through {
    type filter hook forward priority filter - 10; policy accept;
${lines([
  fromVms,
  'ct direction reply ct state established,related accept', // who has reached a VM gets its answers
  `oifname "${interfacePrefix(instance)}*" ${refuse}`, // another VM, whatever the exceptions say
  'jump exceptions',
  `ct status dnat ${refuse}`, // an address of the host, which Docker hands on to a container
  `ip daddr { ${privateIpv4.join(', ')} } ${refuse}`,
  `ip6 daddr { ${privateIpv6.join(', ')} } ${refuse}`,
])}
  }
  chain to_the_host {
    type filter hook input priority filter - 10; policy accept;
${lines([
  fromVms,
  'ct direction reply ct state established,related accept',
  'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept', // no IPv6 without them
  'jump exceptions',
  refuse,
])}
  }
  chain refused {
${lines(refusals)}
  }
  chain exceptions {
${lines(exceptions.flatMap(accept))}
  }
}
`;
};
