import type { measureVms, Result } from '../../../queues/catalog.ts';
import type { Context, Processor } from '../../../queues/consumer.ts';
import { type Container, lookUpContainer } from '../docker/containers.ts';
import { runInContainer } from '../docker/exec.ts';
import { measureContainer } from '../docker/stats.ts';
import type { VmHost } from '../vm-host.ts';

/**
 * Live figures for somebody who is waiting for the answer: all VMs at once, and a figure that does not come in
 * time stays unknown.
 */

type Figures = Result<typeof measureVms>['vms'][number];

const patience = 600;
/** Seconds; a home too large to be counted in it has no figure. */
const countingTime = '0.45';

const unknownFigures = { startedAt: null, cpus: null, memoryBytes: null, diskBytes: null };

const measureDisk = async (
  { engine }: VmHost,
  { id }: Container,
  { signal }: Context,
): Promise<number | null> => {
  const { exitCode, stdout } = await runInContainer(
    engine,
    id,
    { argv: ['timeout', countingTime, 'du', '-sx', '--block-size=1', '/home/dev'] },
    { signal, deadline: patience },
  );
  return exitCode === 0 ? Number.parseInt(stdout, 10) : null;
};

const measure = async (host: VmHost, vmId: string, context: Context): Promise<Figures> => {
  const options = { signal: context.signal, deadline: patience };
  const unknown = (what: string) => (err: unknown) => {
    context.log.debug({ err, vmId }, `no figure for ${what}`);
    return null;
  };
  const container = await lookUpContainer(host.engine, { instance: host.instance, vmId }, options).catch(
    unknown('the container'),
  );
  if (!container || container === 'foreign' || !container.running) return { vmId, ...unknownFigures };
  const [figures, diskBytes] = await Promise.all([
    measureContainer(host.engine, container.id, options).catch(unknown('CPU and memory')),
    measureDisk(host, container, context).catch(unknown('disk')),
  ]);
  return {
    vmId,
    startedAt: container.startedAt,
    cpus: figures?.cpus ?? null,
    memoryBytes: figures?.memoryBytes ?? null,
    diskBytes,
  };
};

export const measureVmsProcessor =
  (host: VmHost): Processor<typeof measureVms> =>
  async ({ vmIds }, context) => ({
    vms: await Promise.all(vmIds.map((vmId) => measure(host, vmId, context))),
  });
