import { DockerRefusal, type Engine, isRefusal } from '../../services/worker/docker/engine.ts';
import { type Finding, ok, warning } from './check.ts';

/**
 * Whether the storage driver can hold a container to a size. Only asking for one tells: it depends on the file system
 * and on how it was mounted. The container is never started, and removed also where its making is not answered.
 */
export const checkDiskLimits = async (engine: Engine, driver: string, image: string): Promise<Finding> => {
  const name = 'disk limits';
  const probe = `berth-doctor-${process.pid}`;
  const make = () =>
    engine.call('making a container with a disk limit', (docker) =>
      docker.createContainer({ name: probe, Image: image, HostConfig: { StorageOpt: { size: '1G' } } }),
    );
  try {
    await make();
    return ok(
      name,
      `enforced by the quotas of ${driver}; homes, which are volumes, are watched every minute`,
    );
  } catch (error) {
    if (isRefusal(error, 404))
      return warning(name, 'not known without the VM image', 'Run ./scripts/start first.');
    if (!(error instanceof DockerRefusal)) throw error;
    return /storage-opt|quota|--storage/i.test(error.message)
      ? warning(
          name,
          `watched every minute, not enforced: ${driver} has no quotas here`,
          'To have quotas put /var/lib/docker on XFS that is mounted with pquota.',
        )
      : warning(name, `not known: ${error.message}`, 'See what the message says.');
  } finally {
    await engine
      .call('removing the probe', (docker) => docker.getContainer(probe).remove({ force: true }))
      .catch((error) => {
        if (!isRefusal(error, 404)) throw error;
      });
  }
};
