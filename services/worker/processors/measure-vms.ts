import type { measureVms, Result } from '../../../queues/catalog.ts';
import type { Context, Processor } from '../../../queues/consumer.ts';
import { lookUpContainer } from '../docker/containers.ts';
import { runInContainer } from '../docker/exec.ts';
import type { VmHost } from '../vm-host.ts';
import { type Figures, figuresCommand, readFigures } from './vm-figures.ts';

/**
 * Live figures for somebody who is waiting for the answer: all VMs at once, and a figure that does not come in
 * time stays unknown.
 */

type VmFigures = Result<typeof measureVms>['vms'][number];

/** Milliseconds. */
const patience = 700;

const unknownFigures: Figures = { cpus: null, memoryBytes: null, diskBytes: null };

const measure = async (host: VmHost, vmId: string, { log, signal }: Context): Promise<VmFigures> => {
  const { engine, instance } = host;
  const options = { signal, deadline: patience };
  const unknown = (err: unknown) => {
    log.debug({ err, vmId }, 'no figures of the VM');
    return undefined;
  };
  const container = await lookUpContainer(engine, { instance, vmId }, options).catch(unknown);
  if (container === undefined || container === 'foreign' || !container.running) {
    return { vmId, startedAt: null, ...unknownFigures };
  }
  const printed = await runInContainer(engine, container.id, figuresCommand, options).catch(unknown);
  const figures = printed === undefined ? unknownFigures : readFigures(printed.stdout);
  return { vmId, startedAt: container.startedAt, ...figures };
};

export const measureVmsProcessor =
  (host: VmHost): Processor<typeof measureVms> =>
  async ({ vmIds }, context) => ({
    vms: await Promise.all(vmIds.map((vmId) => measure(host, vmId, context))),
  });
