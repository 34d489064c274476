import { z } from 'zod';
import {
  heartbeatFile,
  hostId,
  instance,
  linkSecret,
  logLevel,
  parseEnv,
  portOrAny,
  redisUrl,
} from '../../shared/env.ts';
import { parseExceptions } from './firewall/may-reach.ts';

/** A worker's variables: one Docker host and Redis, nothing else. */

const imageName = z
  .string()
  .regex(/^[a-z0-9][\w./:@-]{0,254}$/i, 'must be an image name such as berth-vm:latest')
  .transform((name) => (/:[\w.-]+$|@/.test(name) ? name : `${name}:latest`));

const dockerHost = z
  .string()
  .regex(
    /^(unix:\/\/\/.+|(tcp|https?):\/\/[^/\s:]+:\d+\/?)$/,
    'must be unix:///path/to/docker.sock or tcp://host:port',
  )
  .default('unix:///var/run/docker.sock');

const schema = z.object({
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  INSTANCE: instance,
  HOST_ID: hostId,
  DOCKER_HOST: dockerHost,
  VM_IMAGE: imageName.default('berth-vm:latest'),
  VM_BASE_IMAGE: imageName.default('ubuntu:24.04'),
  VM_RUNTIME: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'must be the name of an OCI runtime, such as runc')
    .default('runc'),
  /** What VMs may reach besides the internet. */
  VM_MAY_REACH: z
    .string()
    .transform((text, context) => {
      try {
        return parseExceptions(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    })
    .default([]),
  SSH_BIND_ADDRESS: z
    .union([z.ipv4(), z.ipv6()], 'must be an IP address such as 127.0.0.1')
    .default('127.0.0.1'),
  /** Where the gateway reaches this worker for terminals; internal, never for people. */
  LINK_BIND_ADDRESS: z
    .union([z.ipv4(), z.ipv6()], 'must be an IP address such as 127.0.0.1')
    .default('127.0.0.1'),
  LINK_PORT: portOrAny.default(0),
  /** The name that the gateway knows it by, where that is not the address it binds to. */
  LINK_HOST: z
    .string()
    .regex(/^[\w.:-]+$/, 'must be a host name or an IP address')
    .optional(),
  LINK_SECRET: linkSecret,
  HEARTBEAT_FILE: heartbeatFile,
  LOG_LEVEL: logLevel,
});

export type WorkerEnv = z.output<typeof schema>;

/** Throws one EnvError that lists every fault. */
export const parseWorkerEnv = (source: Record<string, string | undefined>): WorkerEnv =>
  parseEnv(schema, source);

/** Of these, what the rules for VMs are made of. Throws as parseWorkerEnv does. */
export const parseFirewallEnv = (source: Record<string, string | undefined>) =>
  parseEnv(schema.pick({ INSTANCE: true, VM_MAY_REACH: true }), source);
