import { isVm } from './evidence.ts';
import type { Outcome } from './run.ts';

/** A run in words: what happened, what broke, and the whole story of each VM that something broke of. */

const storyOf = ({ evidence }: Outcome, vmId: string): string[] =>
  evidence.stored.events
    .filter((event) => isVm(event) && event.data.vmId === vmId)
    .map(
      ({ recordedAt, version, type, data, metadata }) =>
        `    ${recordedAt} ${version} ${type} ${JSON.stringify(data)} by ${metadata.causationId}`,
    );

const mostStories = 3;

export const describeOutcome = (outcome: Outcome): string => {
  const { seed, broken, struck, figures, disasters, folder } = outcome;
  const vmIds = [...new Set(broken.flatMap(({ vmId }) => (vmId === undefined ? [] : [vmId])))];
  return [
    `seed ${seed}: ${broken.length === 0 ? 'every invariant held' : `${broken.length} broken`}`,
    `  ${Object.entries(figures)
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ')}`,
    ...broken.map(({ invariant, what }) => `  BROKEN ${invariant}: ${what}`),
    ...(broken.length === 0
      ? []
      : [
          `  disasters: ${disasters.join('; ')}`,
          ...struck.map(
            ({ process, strike, name, at }) =>
              `  ${new Date(at).toISOString()} ${process}: ${strike.act} ${strike.side} ${name}`,
          ),
          ...vmIds.slice(0, mostStories).flatMap((vmId) => [`  VM ${vmId}`, ...storyOf(outcome, vmId)]),
          `  logs: ${folder}`,
          `  again: npm run faults -- --seed ${seed} --minutes 0`,
        ]),
  ].join('\n');
};
