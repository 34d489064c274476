import { APIConnectionError, APIError } from 'cloudflare';
import { TunnelProblem } from './problems.ts';

/** What Cloudflare's API answers, in people's words. */

export type ApiStep = 'tunnel' | 'zone' | 'dns';

const permissions: Record<ApiStep, string> = {
  tunnel: 'Account · Cloudflare Tunnel · Edit',
  zone: 'Zone · Zone · Read',
  dns: 'Zone · DNS · Edit',
};
const doing: Record<ApiStep, string> = {
  tunnel: 'setting up the tunnel',
  zone: 'looking for the host name’s zone',
  dns: 'setting up the DNS record',
};

const hasCode = (error: APIError, codes: number[]): boolean =>
  error.errors.some(({ code }) => code !== undefined && codes.includes(code));

/** Somebody was quicker, or it is there already. */
export const isDuplicate = (error: unknown): boolean =>
  error instanceof APIError && hasCode(error, [1013, 81053, 81057, 81058]);

/** The same code means a token that is wrong and one that may not do this: `isTokenGood` tells which. */
export const problemOf = async (
  error: unknown,
  step: ApiStep,
  isTokenGood: () => Promise<boolean>,
): Promise<unknown> => {
  if (error instanceof APIConnectionError) return new TunnelProblem('no-network');
  if (!(error instanceof APIError)) return error;
  if (error.status === 429) {
    return new TunnelProblem(
      'rate-limited',
      'Cloudflare’s API takes no more requests for now. Try again later.',
    );
  }
  if (error.status !== undefined && error.status >= 500) {
    return new TunnelProblem('service-fault', `Cloudflare’s API has a fault now (status ${error.status}).`);
  }
  // 6003 and 6111: not even the form of a token; 7003: no such account.
  if (hasCode(error, [6003, 6111])) return wrongToken();
  if (hasCode(error, [7000, 7003])) {
    return new TunnelProblem('settings', 'Cloudflare knows no such account: CLOUDFLARE_ACCOUNT_ID is wrong.');
  }
  if (error.status === 401 || error.status === 403) {
    if (!(await isTokenGood())) return wrongToken();
    return new TunnelProblem(
      'settings',
      `CLOUDFLARE_TOKEN lacks the permission “${permissions[step]}” for this account or zone.`,
    );
  }
  // Only the code: the text of an unknown error may hold anything.
  const codes = error.errors.map(({ code }) => code).join(', ');
  return new TunnelProblem(
    'settings',
    `Cloudflare’s API refused ${doing[step]} (status ${error.status}${codes === '' ? '' : `, code ${codes}`}).`,
  );
};

const wrongToken = () =>
  new TunnelProblem(
    'settings',
    'Cloudflare does not accept CLOUDFLARE_TOKEN: it is wrong, expired or withdrawn.',
  );
