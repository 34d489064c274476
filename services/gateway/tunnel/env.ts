import { z } from 'zod';
import { surroundings } from './surroundings.ts';

/** The tunnel's variables: a piece of the gateway's schema. */

const isBareAddress = (text: string): boolean =>
  URL.canParse(text) && /^https?:\/\/[^/?#@]+\/?$/.test(text) && new URL(text).pathname === '/';
const bareUrl = (example: string) =>
  z
    .string()
    .refine(isBareAddress, `must be an address without a path, such as ${example}`)
    .transform((text) => new URL(text).origin);

const hostname = z
  .string()
  .regex(
    /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i,
    'must be a host name such as vms.example.org',
  )
  .transform((text) => text.toLowerCase());

const oneLine = z.string().regex(/^[\x21-\x7e]{1,500}$/, 'must be one word of printable characters');

export const tunnelVariables = {
  TUNNEL: z
    .enum(['auto', 'quick', 'named', 'off'], { error: 'must be auto, quick, named or off' })
    .default('auto'),
  /** An address of the operator's own; wins over every tunnel. */
  PUBLIC_URL: bareUrl('https://vms.example.org').optional(),
  CLOUDFLARE_TOKEN: oneLine.optional(),
  CLOUDFLARE_ACCOUNT_ID: z
    .string()
    .regex(/^[0-9a-f]{32}$/i, 'must be the 32 hexadecimal digits of a Cloudflare account')
    .optional(),
  CLOUDFLARE_HOSTNAME: hostname.optional(),
  /** A name on the PATH, or a path. */
  CLOUDFLARED_BIN: z.string().default('cloudflared'),
  /** The metrics port of a cloudflared that runs in a container of its own, and is started by somebody else. */
  CLOUDFLARED_METRICS: bareUrl('http://cloudflared:2000').optional(),
  /** What that one reaches the gateway by. */
  TUNNEL_TARGET: bareUrl('http://gateway:8080').optional(),
  /** The file in which the gateway gives it the token of a named tunnel. */
  TUNNEL_TOKEN_PATH: z.string().optional(),
  ...surroundings,
};

export type TunnelEnv = z.output<z.ZodObject<typeof tunnelVariables>>;

const namedNeeds = ['CLOUDFLARE_TOKEN', 'CLOUDFLARE_ACCOUNT_ID', 'CLOUDFLARE_HOSTNAME'] as const;

export const isNamedConfigured = (env: TunnelEnv): boolean =>
  namedNeeds.every((name) => env[name] !== undefined);

/** A rule of the whole schema: a named tunnel needs all of its variables, and half of them are a mistake. */
export const tunnelRule = z.superRefine<TunnelEnv>((env, context) => {
  const missing: string[] = namedNeeds.filter((name) => env[name] === undefined);
  const begun = env.TUNNEL === 'auto' && missing.length < namedNeeds.length;
  if (env.TUNNEL !== 'named' && !begun) return;
  if (env.CLOUDFLARED_METRICS !== undefined && env.TUNNEL_TOKEN_PATH === undefined)
    missing.push('TUNNEL_TOKEN_PATH');
  for (const name of missing) {
    context.addIssue({ code: 'custom', path: [name], message: 'is missing: a named tunnel needs it' });
  }
});
