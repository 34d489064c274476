import { z } from 'zod';
import { logLevel, parseEnv, port } from '../../shared/env.ts';

/** The gateway's variables. It is what the tunnel reaches; by itself it listens on loopback only. */
const schema = z.object({
  GATEWAY_PORT: port.default(8080),
  GATEWAY_BIND_ADDRESS: z
    .union([z.ipv4(), z.ipv6(), z.literal('localhost')], 'must be an IP address such as 127.0.0.1')
    .default('127.0.0.1'),
  LOG_LEVEL: logLevel,
});

export type GatewayEnv = z.output<typeof schema>;

/** Throws one EnvError that lists every fault. */
export const parseGatewayEnv = (source: Record<string, string | undefined>): GatewayEnv =>
  parseEnv(schema, source);
