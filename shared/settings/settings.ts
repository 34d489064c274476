import type { Decider, Message } from '../decider.ts';
import { GIB } from '../vm/limits.ts';

/** What holds for the whole Berth: the limits of VMs whose owner has no plan, and GPU passthrough for new VMs. */
export type Settings = Readonly<{
  memoryBytes: number;
  cpus: number;
  diskBytes: number;
  maxVms: number;
  gpu: boolean;
}>;

export type DefaultMemoryChanged = Message<'DefaultMemoryChanged', { memoryBytes: number; at: string }>;
export type DefaultCpusChanged = Message<'DefaultCpusChanged', { cpus: number; at: string }>;
export type GpuPassthroughChanged = Message<'GpuPassthroughChanged', { gpu: boolean; at: string }>;
export type SettingsEvent = DefaultMemoryChanged | DefaultCpusChanged | GpuPassthroughChanged;

export type SetDefaultMemory = Message<'SetDefaultMemory', DefaultMemoryChanged['data']>;
export type SetDefaultCpus = Message<'SetDefaultCpus', DefaultCpusChanged['data']>;
export type SetGpuPassthrough = Message<'SetGpuPassthrough', GpuPassthroughChanged['data']>;
export type SettingsCommand = SetDefaultMemory | SetDefaultCpus | SetGpuPassthrough;

export const initialState: Settings = {
  memoryBytes: 2 * GIB,
  cpus: 1,
  diskBytes: 100 * GIB,
  maxVms: 1,
  gpu: false,
};

export const evolve = (settings: Settings, { type, data }: SettingsEvent): Settings => {
  switch (type) {
    case 'DefaultMemoryChanged':
      return { ...settings, memoryBytes: data.memoryBytes };
    case 'DefaultCpusChanged':
      return { ...settings, cpus: data.cpus };
    case 'GpuPassthroughChanged':
      return { ...settings, gpu: data.gpu };
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
  }
};

export const settings: Decider<Settings, SettingsCommand, SettingsEvent> = { initialState, decide, evolve };

export const settingsStream = 'settings';
