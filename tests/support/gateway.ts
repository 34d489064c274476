import { connectRedis } from '../../queues/connection.ts';
import { issueTicket, newSecret, type Revocation, revoke } from '../../queues/tickets.ts';
import { createLog } from '../../shared/log.ts';
import { type Berth, startBerth } from './berth.ts';
import { findContainers } from './docker.ts';
import { findFreePort } from './redis.ts';
import { type ServiceProcess, startService } from './service-process.ts';

/** A Berth with a gateway in front and one VM in it; tickets are issued as the bot does. */

export type Vm = { vmId: string; vmName: string; userId: number; container: string };

export type WithGateway = {
  berth: Berth;
  redis: ReturnType<typeof connectRedis>;
  port: number;
  origin: string;
  gateway(): ServiceProcess;
  startGateway(env?: NodeJS.ProcessEnv): Promise<ServiceProcess>;
  newVm(firstName: string, vmName: string): Promise<Vm>;
  /** A link as it would stand in the chat; `userId` and the like may be wished otherwise. */
  newLink(vm: Vm): Promise<string>;
  revoke(what: Partial<Revocation> & Pick<Revocation, 'reason'>): Promise<void>;
  stop(): Promise<void>;
};

export const startWithGateway = async ({
  workers = 1,
  env = {} as NodeJS.ProcessEnv,
} = {}): Promise<WithGateway> => {
  const berth = await startBerth({ workers, env });
  const log = createLog('test', 'silent');
  const redis = connectRedis(berth.redis.url, 'consumer', log);
  const port = await findFreePort();
  const origin = `http://127.0.0.1:${port}`;
  let gateway: ServiceProcess | undefined;
  const startGateway = async (extra: NodeJS.ProcessEnv = {}) => {
    gateway = await startService('gateway', 'services/gateway/main.ts', {
      REDIS_URL: berth.redis.url,
      INSTANCE: berth.instance,
      GATEWAY_PORT: `${port}`,
      TUNNEL: 'off',
      LOG_LEVEL: 'debug',
      ...env,
      ...extra,
    });
    return gateway;
  };
  const stop = async () => {
    await gateway?.end();
    redis.disconnect();
    await berth.stop();
  };
  try {
    await startGateway();
    await berth.admin.ask('/start');
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    berth,
    redis,
    port,
    origin,
    gateway: () => gateway!,
    startGateway,
    async newVm(firstName, vmName) {
      const person = await berth.newUser(firstName);
      await person.ask(`/create ${vmName}`, ({ text }) => text.includes(`${vmName} is running`), {
        timeoutMs: 60_000,
      });
      const found = (await findContainers(berth.instance)).find(
        ({ Labels }) => Labels['berth.owner'] === `${person.id}`,
      )!;
      return { vmId: found.Labels['berth.vm']!, vmName, userId: person.id, container: found.Id };
    },
    async newLink({ vmId, vmName, userId }) {
      const ticket = newSecret();
      await issueTicket(redis, berth.instance, ticket, {
        kind: 'terminal',
        userId,
        grantedAt: new Date().toISOString(),
        vmId,
        vmName,
        host: 'local',
      });
      return `${origin}/t/${ticket}`;
    },
    revoke: (what) =>
      revoke(redis, berth.instance, { vmId: null, userId: null, at: new Date().toISOString(), ...what }),
    stop,
  };
};
