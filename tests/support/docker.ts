import Docker from 'dockerode';
import { createEngine } from '../../services/worker/docker/engine.ts';
import { isProbe } from '../../services/worker/docker/probes.ts';
import { removeRules } from '../../services/worker/firewall/apply.ts';

/** The real engine, looked at from outside of Berth. */

export const docker = new Docker();

const labelled = (instance: string) => ({ label: [`berth.instance=${instance}`] });

export const findAllContainers = (instance: string) =>
  docker.listContainers({ all: true, filters: labelled(instance) });

/** Those of VMs: workers make probes at any time, which live for a moment. */
export const findContainers = async (instance: string) =>
  (await findAllContainers(instance)).filter(({ Labels }) => !isProbe(Labels));

export const findVolumes = async (instance: string) =>
  (await docker.listVolumes({ filters: labelled(instance) })).Volumes ?? [];

/** Removes everything of a test's instance, whatever state a failed test left it in. */
export const removeEverythingOf = async (instance: string): Promise<void> => {
  for (const { Id } of await findAllContainers(instance))
    await docker.getContainer(Id).remove({ force: true });
  for (const { Name } of await findVolumes(instance)) await docker.getVolume(Name).remove();
  for (const { Id } of await docker.listNetworks({ filters: labelled(instance) })) {
    await docker.getNetwork(Id).remove();
  }
  const engine = createEngine(process.env.DOCKER_HOST || 'unix:///var/run/docker.sock');
  await removeRules({ engine, image: process.env.VM_IMAGE || 'berth-vm:latest' }, instance);
};
