import { customAlphabet } from 'nanoid';
import { type Engine, isRefusal } from './engine.ts';

/**
 * Probes are containers that a worker makes to see what Docker can do, and removes at once. One that a worker left
 * behind as it died is removed by the next one that looks, and by every stock-taking.
 */

const probeLabel = 'berth.probe';
/** Milliseconds. */
const leftBehindAfter = 60_000;
/** Longer than any probe lasts: one due later than that was dated by a clock that was set back since, or by somebody else. */
const dueWithin = 3_600_000;

const newSuffix = customAlphabet('abcdefghijklmnopqrstuvwxyz0123456789', 10);

/**
 * Name and labels of a new probe. With a `purpose` there is one of them at a time. `lasts`: milliseconds until it is due,
 * for one that has more to do than to show what Docker can.
 */
export const newProbe = (instance: string, { purpose = newSuffix(), lasts = 0 } = {}) => ({
  name: `${instance}-probe-${purpose}`,
  Labels: { 'berth.instance': instance, [probeLabel]: new Date(Date.now() + lasts).toISOString() },
});

/** Whether a container of the instance is one, by its labels. */
export const isProbe = (labels: Record<string, string> | null | undefined): boolean =>
  labels?.[probeLabel] !== undefined;

/** Removes it; one that is gone, or going, is done. By its name also where the answer to its making was lost. */
export const removeProbe = async (engine: Engine, nameOrId: string): Promise<void> => {
  try {
    await engine.call('removing a probe', (docker) => docker.getContainer(nameOrId).remove({ force: true }));
  } catch (error) {
    if (!isRefusal(error, 404, 409)) throw error;
  }
};

export const removeOldProbes = async (engine: Engine, instance: string): Promise<void> => {
  const filters = { label: [`berth.instance=${instance}`, probeLabel] };
  const probes = await engine.call('listing probes', (docker) =>
    docker.listContainers({ all: true, filters }),
  );
  for (const { Id, Labels } of probes) {
    const age = Date.now() - Date.parse(Labels[probeLabel] ?? '');
    const isYoung = age < leftBehindAfter && age > -dueWithin; // not so one whose age cannot be read
    if (!isYoung) await removeProbe(engine, Id);
  }
};
