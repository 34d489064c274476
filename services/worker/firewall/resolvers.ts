import { isIP } from 'node:net';

/** Which DNS servers VMs ask, from the text of a resolv.conf. */

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

const nameservers = (text: string): string[] =>
  [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address]) => address!);

/**
 * Servers that a container can ask. One on the host's loopback is none: Docker leaves it out. One with a zone
 * (fe80::1%eth0) is none either, for a container has no such interface.
 */
export const reachableResolvers = (text: string): string[] =>
  [...new Set(nameservers(text))].filter(
    (address) => isIP(address) !== 0 && !/%/.test(address) && !isLoopback(address),
  );

/** Whether Docker gives containers something else than stands here. */
export const areReplaced = (text: string): boolean => reachableResolvers(text).length === 0;
