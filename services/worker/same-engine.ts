import type { Redis } from 'ioredis';
import { engineClaim, keepClaim } from '../../queues/claims.ts';
import type { Lifecycle } from '../../shared/lifecycle.ts';
import type { Log } from '../../shared/log.ts';
import type { Engine } from './docker/engine.ts';
import type { EngineWatch } from './docker/engine-watch.ts';

/**
 * All workers of a HOST_ID must serve the same Docker engine: one with another would find none of the host's VMs, and tell
 * their owners that they are lost.
 */
export class AnotherEngineError extends Error {
  override name = 'AnotherEngineError';

  constructor(host: string) {
    super(
      `Workers with HOST_ID=${host} serve another Docker engine. Give this worker a HOST_ID of its own, or the DOCKER_HOST of the others. (Where that engine was replaced: its claim lapses 30 s after its last worker has ended.)`,
    );
  }
}

type Dependencies = {
  redis: Redis;
  instance: string;
  host: string;
  engine: Engine;
  watch: EngineWatch;
  lifecycle: Lifecycle;
  log: Log;
};

const readId = (engine: Engine, log: Log): Promise<string | null> =>
  engine
    .call('asking Docker who it is', (docker) => docker.info() as Promise<{ ID?: string }>)
    .then(({ ID }) => ID ?? null)
    .catch((err) => {
      log.debug({ err }, 'Docker does not say who it is yet');
      return null;
    });

/** Throws AnotherEngineError; ends this process with it where that shows later. A Docker that is away is asked when it is back. */
export const claimEngine = async (dependencies: Dependencies): Promise<void> => {
  const { redis, instance, host, engine, watch, lifecycle, log } = dependencies;
  let id = await readId(engine, log);
  watch.onChange(async (answers) => {
    if (answers) id = (await readId(engine, log)) ?? id;
  });
  let begun = false;
  let refused: AnotherEngineError | undefined;
  const claim = await keepClaim({ redis, key: engineClaim(instance, host), holder: () => id, log }, () => {
    refused = new AnotherEngineError(host);
    if (begun) lifecycle.fail(refused);
  });
  // The other workers of the host renew the same claim: it is not this one's to give back.
  lifecycle.onShutdown('claim', () => claim.close());
  if (refused !== undefined) throw refused;
  begun = true;
};
