import { lookup } from 'node:dns/promises';
import { BlockList, isIPv6 } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Whose X-Forwarded headers are believed: the addresses and ranges of the settings, and a cloudflared in a container of
 * its own. That has another address at each of its starts, so its name is looked up again and again.
 */

/** Milliseconds. A new start is believed after so long at most; until then all of its visitors have its address. */
const lookEvery = 10_000;

const typeOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');

const listOf = (proxies: string[]): BlockList => {
  const list = new BlockList();
  for (const proxy of proxies) {
    if (proxy === 'loopback') {
      list.addSubnet('127.0.0.0', 8, 'ipv4');
      list.addAddress('::1', 'ipv6');
      continue;
    }
    const [address = '', bits] = proxy.split('/');
    if (bits === undefined) list.addAddress(address, typeOf(address));
    else list.addSubnet(address, Number(bits), typeOf(address));
  }
  return list;
};

export type ProxyTrust = {
  believes: (address: string) => boolean;
  /** Keeps the neighbour's addresses up to date while the web server runs. */
  follow: (app: FastifyInstance) => void;
};

/** `neighbour`: the host name of that cloudflared. */
export const createProxyTrust = (proxies: string[], neighbour?: string): ProxyTrust => {
  const list = listOf(proxies);
  let theirs: ReadonlySet<string> = new Set();
  const look = async (name: string): Promise<void> => {
    // No such name: it does not run now.
    const found = await lookup(name, { all: true }).catch(() => []);
    theirs = new Set(found.map(({ address }) => address));
  };
  return {
    believes(address) {
      const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
      return list.check(plain, typeOf(plain)) || theirs.has(plain);
    },
    follow(app) {
      if (neighbour === undefined) return;
      let timer: NodeJS.Timeout | undefined;
      app.addHook('onReady', async () => {
        await look(neighbour);
        timer = setInterval(look, lookEvery, neighbour);
      });
      app.addHook('onClose', async () => clearInterval(timer));
    },
  };
};
