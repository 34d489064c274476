/**
 * What belongs to whom. A VM's container and volume bear the same name, so that two workers that bring up one
 * VM meet in one container; the labels say whether a thing of that name is ours to touch.
 */

export const resourceName = (instance: string, vmId: string): string => `${instance}-${vmId}`;

export const labelsOf = (instance: string, vmId: string, owner: number): Record<string, string> => ({
  'berth.instance': instance,
  'berth.vm': vmId,
  'berth.owner': String(owner),
});

type Labels = Record<string, string> | null | undefined;

export const isInstances = (labels: Labels, instance: string): boolean =>
  labels?.['berth.instance'] === instance;

export const isVms = (labels: Labels, instance: string, vmId: string): boolean =>
  isInstances(labels, instance) && labels?.['berth.vm'] === vmId;
