import { type Decider, IllegalStateError, type Message } from '../decider.ts';
import { GIB } from '../vm/limits.ts';

/**
 * What holds for the whole Berth: the limits of VMs whose owner has no plan, GPU passthrough for new VMs, and
 * maintenance, during which nobody but administrators creates or starts VMs.
 */
export type Settings = Readonly<{
  memoryBytes: number;
  cpus: number;
  diskBytes: number;
  maxVms: number;
  gpu: boolean;
  /** Null while there is none. `by`: the administrator's Telegram id. */
  maintenance: Readonly<{ by: number; since: string; batchId: string }> | null;
}>;

export type DefaultMemoryChanged = Message<'DefaultMemoryChanged', { memoryBytes: number; at: string }>;
export type DefaultCpusChanged = Message<'DefaultCpusChanged', { cpus: number; at: string }>;
export type GpuPassthroughChanged = Message<'GpuPassthroughChanged', { gpu: boolean; at: string }>;
/** `batchId`: under which the VMs that it stops, or starts again, are counted. */
export type MaintenanceBegun = Message<'MaintenanceBegun', { by: number; batchId: string; at: string }>;
export type MaintenanceEnded = Message<'MaintenanceEnded', { by: number; batchId: string; at: string }>;
export type SettingsEvent =
  | DefaultMemoryChanged
  | DefaultCpusChanged
  | GpuPassthroughChanged
  | MaintenanceBegun
  | MaintenanceEnded;

export type SetDefaultMemory = Message<'SetDefaultMemory', DefaultMemoryChanged['data']>;
export type SetDefaultCpus = Message<'SetDefaultCpus', DefaultCpusChanged['data']>;
export type SetGpuPassthrough = Message<'SetGpuPassthrough', GpuPassthroughChanged['data']>;
export type BeginMaintenance = Message<'BeginMaintenance', MaintenanceBegun['data']>;
export type EndMaintenance = Message<'EndMaintenance', MaintenanceEnded['data']>;
export type SettingsCommand =
  | SetDefaultMemory
  | SetDefaultCpus
  | SetGpuPassthrough
  | BeginMaintenance
  | EndMaintenance;

export const initialState: Settings = {
  memoryBytes: 2 * GIB,
  cpus: 1,
  diskBytes: 100 * GIB,
  maxVms: 1,
  gpu: false,
  maintenance: null,
};

export const evolve = (settings: Settings, { type, data }: SettingsEvent): Settings => {
  switch (type) {
    case 'DefaultMemoryChanged':
      return { ...settings, memoryBytes: data.memoryBytes };
    case 'DefaultCpusChanged':
      return { ...settings, cpus: data.cpus };
    case 'GpuPassthroughChanged':
      return { ...settings, gpu: data.gpu };
    case 'MaintenanceBegun':
      return { ...settings, maintenance: { by: data.by, since: data.at, batchId: data.batchId } };
    case 'MaintenanceEnded':
      return { ...settings, maintenance: null };
  }
};

/** Setting what is set already changes nothing and leaves no event. */
export const decide = ({ type, data }: SettingsCommand, settings: Settings): SettingsEvent[] => {
  switch (type) {
    case 'SetDefaultMemory':
      return data.memoryBytes === settings.memoryBytes ? [] : [{ type: 'DefaultMemoryChanged', data }];
    case 'SetDefaultCpus':
      return data.cpus === settings.cpus ? [] : [{ type: 'DefaultCpusChanged', data }];
    case 'SetGpuPassthrough':
      return data.gpu === settings.gpu ? [] : [{ type: 'GpuPassthroughChanged', data }];
    case 'BeginMaintenance':
      if (settings.maintenance !== null)
        throw new IllegalStateError('maintenance-on', 'maintenance has begun already');
      return [{ type: 'MaintenanceBegun', data }];
    case 'EndMaintenance':
      if (settings.maintenance === null)
        throw new IllegalStateError('maintenance-off', 'there is no maintenance');
      return [{ type: 'MaintenanceEnded', data }];
  }
};

export const settings: Decider<Settings, SettingsCommand, SettingsEvent> = { initialState, decide, evolve };

export const settingsStream = 'settings';
