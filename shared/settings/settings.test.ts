import { describe, expect, it } from 'vitest';
import { specificationFor } from '../specification.ts';
import { type SettingsCommand, type SettingsEvent, settings } from './settings.ts';

const given = specificationFor(settings);
const at = '2026-01-01T00:00:00.000Z';

const cases: { what: string; command: SettingsCommand; event: SettingsEvent; becomes: object }[] = [
  {
    what: 'memory',
    command: { type: 'SetDefaultMemory', data: { memoryBytes: 3_000, at } },
    event: { type: 'DefaultMemoryChanged', data: { memoryBytes: 3_000, at } },
    becomes: { memoryBytes: 3_000 },
  },
  {
    what: 'CPUs',
    command: { type: 'SetDefaultCpus', data: { cpus: 2.5, at } },
    event: { type: 'DefaultCpusChanged', data: { cpus: 2.5, at } },
    becomes: { cpus: 2.5 },
  },
  {
    what: 'GPU passthrough',
    command: { type: 'SetGpuPassthrough', data: { gpu: true, at } },
    event: { type: 'GpuPassthroughChanged', data: { gpu: true, at } },
    becomes: { gpu: true },
  },
];

it.each(cases)('$what can be set', ({ command, event }) => given([]).when(command).then([event]));

it.each(cases)('$what set to what it is leaves no event', ({ command, event }) =>
  given([event]).when(command).then([]),
);

it.each(cases)('setting $what leaves the other settings alone', ({ event, becomes }) =>
  expect(settings.evolve(settings.initialState, event)).toEqual({ ...settings.initialState, ...becomes }),
);

it('GPU passthrough is off until somebody sets it', () =>
  given([])
    .when({ type: 'SetGpuPassthrough', data: { gpu: false, at } })
    .then([]));

describe('maintenance', () => {
  const begun: SettingsEvent = { type: 'MaintenanceBegun', data: { by: 1, batchId: 'b1', at } };
  const ended: SettingsEvent = { type: 'MaintenanceEnded', data: { by: 2, batchId: 'b2', at } };

  it('begins and ends', () => {
    given([]).when({ type: 'BeginMaintenance', data: begun.data }).then([begun]);
    given([begun]).when({ type: 'EndMaintenance', data: ended.data }).then([ended]);
    given([begun, ended]).when({ type: 'BeginMaintenance', data: begun.data }).then([begun]);
  });

  it('is refused where it is on, or off, already', () => {
    given([begun]).when({ type: 'BeginMaintenance', data: begun.data }).thenThrows('maintenance-on');
    given([]).when({ type: 'EndMaintenance', data: ended.data }).thenThrows('maintenance-off');
  });
});
