import { z } from 'zod';
import { instance, linkSecret, logLevel, parseEnv, port, redisUrl } from '../../shared/env.ts';
import { dashboardVariables } from './dashboard/env.ts';
import { tunnelRule, tunnelVariables } from './tunnel/env.ts';

/** Whoever is believed could give himself any address: all of the internet is none to believe. */
const proxy = z
  .union([z.literal('loopback'), z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])
  .refine((text) => !text.endsWith('/0'));
const proxies = z
  .string()
  .transform((text) => text.split(',').map((one) => one.trim()))
  .refine(
    (list) => list.every((one) => proxy.safeParse(one).success),
    'must be IP addresses or ranges such as 172.18.0.0/16, or loopback, separated by commas',
  );

/** The gateway's variables. It is what the tunnel reaches; by itself it listens on loopback only. */
const variables = z.object({
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  INSTANCE: instance,
  GATEWAY_PORT: port.default(8080),
  GATEWAY_BIND_ADDRESS: z
    .union([z.ipv4(), z.ipv6(), z.literal('localhost')], 'must be an IP address such as 127.0.0.1')
    .default('127.0.0.1'),
  /** Whose X-Forwarded headers are believed. */
  TRUSTED_PROXIES: proxies.default(['loopback']),
  LINK_SECRET: linkSecret,
  ...tunnelVariables,
  ...dashboardVariables,
  LOG_LEVEL: logLevel,
});
const schema = variables.check(tunnelRule);

export type GatewayEnv = z.output<typeof schema>;

/** Throws one EnvError that lists every fault. */
export const parseGatewayEnv = (source: Record<string, string | undefined>): GatewayEnv =>
  parseEnv(schema, source);
