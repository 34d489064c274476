import { createServer } from 'node:net';
import { type Finding, failure, ok } from './check.ts';

type Address = { port: number; host: string };

/** Resolves to the reason why not, or to null where it is free. */
const whyTaken = ({ port, host }: Address): Promise<string | null> =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'))
      .once('listening', () => server.close(() => resolve(null)))
      .listen(port, host);
  });

const urlOf = ({ port, host }: Address): string => {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/healthz`;
};

/** Gateway and practice chat answer there with one of these two, whoever else answers something. */
const isBerths = async (address: Address): Promise<boolean> => {
  try {
    const answer = await fetch(urlOf(address), { signal: AbortSignal.timeout(2_000) });
    const said = JSON.stringify(await answer.json());
    return said === '{"status":"ok"}' || said === '{"ok":true}';
  } catch {
    return false; // no HTTP, or no JSON: another program
  }
};

/** A port that is in use may be in use by Berth itself. */
export const checkPort = async (name: string, variable: string, address: Address): Promise<Finding> => {
  const { port, host } = address;
  const reason = await whyTaken(address);
  if (reason === null) return ok(name, `port ${port} is free`);
  if (reason === 'EADDRNOTAVAIL')
    return failure(name, `this machine has no address ${host}`, 'Set the bind address to one that it has.');
  if (reason === 'EACCES')
    return failure(name, `port ${port} is only for root`, `Set ${variable} to 1024 or more.`);
  return (await isBerths(address))
    ? ok(name, `port ${port}, Berth is running`)
    : failure(name, `port ${port} is in use by another program`, `End that program, or set ${variable}.`);
};
