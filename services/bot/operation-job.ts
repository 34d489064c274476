import { catalog, type JobName } from '../../queues/catalog.ts';
import type { OperationKind } from '../../shared/vm/events.ts';

const jobs: Record<OperationKind | 'build-image' | 'link' | 'remove-strays', JobName> = {
  create: catalog.createVm.name,
  start: catalog.startVm.name,
  restart: catalog.restartVm.name,
  stop: catalog.stopVm.name,
  destroy: catalog.destroyVm.name,
  exec: catalog.exec.name,
  access: catalog.setAccess.name,
  'build-image': catalog.buildImage.name,
  link: catalog.openTunnel.name,
  'remove-strays': catalog.removeStrays.name,
};

/** The job that does an operation of that kind. */
export const catalogNameOf = (kind: string): JobName => jobs[kind as keyof typeof jobs];
