import { z } from 'zod';

/** What the tunnel takes from its surroundings and nobody sets for Berth: what cloudflared inherits, what tests turn. */
export const surroundings = {
  /** cloudflared is given these and nothing else of this process's environment. */
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
  SSL_CERT_FILE: z.string().optional(),
  SSL_CERT_DIR: z.string().optional(),
  /** Cloudflare's API; only tests have another. */
  CLOUDFLARE_API_ROOT: z.url().optional(),
  /** Where the tunnel's own address is tried instead of where DNS says; only tests need it. */
  TUNNEL_PROBE_VIA: z.url().optional(),
};
