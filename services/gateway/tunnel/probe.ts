import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';

/** Whether the gateway answers under its public address. */

export type Probe = (origin: string, signal: AbortSignal) => Promise<boolean>;

const patience = 5_000;

/**
 * A quick tunnel's name is seconds old. The resolver of the machine may have been asked too early and then remembers for
 * half an hour that there is no such name: Cloudflare's own are asked first.
 */
const lookupFresh: LookupFunction = (hostname, options, callback) => {
  const resolver = new Resolver({ timeout: 1_500, tries: 1 });
  resolver.setServers(['1.1.1.1', '1.0.0.1']);
  resolver.resolve4(hostname).then(
    (addresses) => {
      const found: LookupAddress[] = addresses.map((address) => ({ address, family: 4 }));
      if (options.all) callback(null, found);
      else callback(null, found[0]!.address, 4);
    },
    () => (systemLookup as LookupFunction)(hostname, options, callback),
  );
};

/** `via` is connected to instead of where the name leads; for tests. */
export const createProbe =
  (via: string | undefined): Probe =>
  (origin, signal) => {
    const target = new URL('/healthz', via ?? origin);
    const isSecure = target.protocol === 'https:';
    const isLiteral = /^[\d.]+$|^\[/.test(target.hostname);
    return new Promise((resolve) => {
      const request = (isSecure ? requestHttps : requestHttp)(target, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
        headers: { host: new URL(origin).host, 'user-agent': 'berth-gateway' },
        agent: false,
        ...(isLiteral ? {} : { lookup: lookupFresh }),
      });
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      request.on('error', () => resolve(false));
      request.end();
    });
  };
