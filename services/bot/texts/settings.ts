import type { GpuOffer } from '../../../queues/host-facts.ts';
import { formatBytes } from '../format/numbers.ts';
import { bold, code, type FmtString, fmt } from '../format/rich-text.ts';
import { shortened, vmCountInWords } from './parts.ts';
import { cpusInWords } from './vms.ts';

/** Plans and settings, and what is wrong with a value for them. */

const fromNowOn = 'It holds for VMs made from now on; those that are there keep theirs.';

export const memorySet = (bytes: number, changed: boolean): FmtString =>
  changed
    ? fmt`✅ VMs of people without a plan get ${bold(formatBytes(bytes))} of memory. ${fromNowOn}`
    : fmt`VMs of people without a plan get ${bold(formatBytes(bytes))} of memory already.`;
export const cpusSet = (cpus: number, changed: boolean): FmtString =>
  changed
    ? fmt`✅ VMs of people without a plan get ${bold(cpusInWords(cpus))}. ${fromNowOn}`
    : fmt`VMs of people without a plan get ${bold(cpusInWords(cpus))} already.`;

export const gpuOfferInWords = (offer: GpuOffer | null): FmtString => {
  if (offer === null) return fmt`not tried yet`;
  if (offer.way === null) return fmt`none: ${offer.problem ?? 'the host has none to give'}`;
  const devices = offer.devices.length === 0 ? '' : ` (${offer.devices.join(', ')})`;
  return fmt`${offer.way === 'cdi' ? 'NVIDIA, by CDI' : 'NVIDIA, by its container toolkit'}${devices}`;
};

/** `answers`: whether a worker of the host does. */
export const gpuSwitchedOn = (offer: GpuOffer | null, answers: boolean): FmtString => {
  if (offer === null && !answers)
    return fmt`✅ New VMs get the host's GPUs.\n⚠️ No worker answers at the moment; when one does, you will read here whether the host has any to give.`;
  if (offer === null)
    return fmt`✅ New VMs get the host's GPUs.\n⏳ Trying whether the host has any to give…`;
  if (offer.way !== null)
    return fmt`✅ New VMs get the host's GPUs.\nThe host gives: ${gpuOfferInWords(offer)}.`;
  return fmt`⚠️ New VMs are to get the host's GPUs, but it has none to give: ${offer.problem ?? 'nobody knows why'}.\nUntil that is mended, /create fails. After ${code('/config_gpu off')} it makes VMs without a GPU.`;
};
export const gpuSwitchedOff = fmt`✅ New VMs get no GPU. Those that are there keep theirs.`;
export const gpuUnchanged = (on: boolean): FmtString =>
  fmt`New VMs ${on ? "get the host's GPUs" : 'get no GPU'} already.`;

export type PlanInWords = {
  plan_id: string;
  name: string;
  memory_bytes: number;
  cpus: number;
  disk_bytes: number;
  max_vms: number;
  sudo: number;
};

export const planInWords = (plan: PlanInWords): FmtString =>
  fmt`${plan.plan_id}. ${bold(plan.name)} — ${formatBytes(plan.memory_bytes)} RAM, ${cpusInWords(plan.cpus)}, ${formatBytes(plan.disk_bytes)} disk, ${vmCountInWords(plan.max_vms)}${plan.sudo === 1 ? '' : ', no sudo'}`;

export const planChanged = (plan: PlanInWords, changed: boolean): FmtString =>
  changed ? fmt`✅ ${planInWords(plan)}\n${fromNowOn}` : fmt`That is so already:\n${planInWords(plan)}`;

/** Added where a value could not be compared with what the host has. */
export const unchecked = fmt`\n⚠️ No worker has described the host yet, so I could not compare this with what it has.`;
export const diskOfHost = (totalBytes: number): FmtString =>
  fmt`\n⚠️ The host's disk has ${formatBytes(totalBytes)} in all.`;

export const badSize = (text: string): string =>
  `${text === '' ? 'the size is missing' : `${shortened(text)} is no size`}; give a number with k, m, g or t, such as 512m or 4g`;
export const badCpus = (text: string): string =>
  `${text === '' ? 'the number of CPUs is missing' : `${shortened(text)} is no number of CPUs`}; give one such as 2 or 0.5`;
export const badSwitch = 'say on or off';
export const memoryTooSmall = (least: number): string =>
  `a VM needs ${formatBytes(least)} of memory at least to start`;
export const memoryTooLarge = (text: string, host: number): string =>
  `the host has ${formatBytes(host)} of memory, so no VM with ${shortened(text)} could start on it`;
export const cpusTooFew = (least: number): string => `a VM needs ${least} of a CPU at least`;
export const cpusTooMany = (text: string, host: number): string =>
  `the host has ${cpusInWords(host)}, so no VM with ${text} could start on it`;
export const diskTooSmall = (least: number): string => `a VM needs ${formatBytes(least)} of disk at least`;
export const sizeTooLarge = 'that is more than any host has';
export const badMaxVms = (text: string, most: number): string =>
  `${text === '' ? 'the number of VMs is missing' : `${shortened(text)} is no number of VMs`}; give a whole number from 0 to ${most}`;
export const badPlanName =
  'the name of a plan is one word of 1–20 letters, digits and hyphens, with a letter in it';
export const planNameTaken = (name: string): string => `there is a plan called ${name} already`;
export const planArgumentsMissing = 'a plan, a field and a value are needed';
export const planFieldUnknown = (field: string): string =>
  `a plan has no ${shortened(field)}; its fields are name, ram, cpu, disk, max_vms and sudo`;

export const maintenanceOnAlready = (since: string): FmtString =>
  fmt`Maintenance is on already, since ${since} UTC. ${code('/maintenance off')} ends it.`;
export const maintenanceOffAlready = fmt`There is no maintenance. ${code('/maintenance on')} begins it.`;
export const inMaintenance = fmt`🔧 There is maintenance: VMs can be created and started again when it ends. What it stopped starts again by itself then.`;

export const imageBuildingAlready = fmt`The VM image is being built already. When there is a new one, you will read it here.`;
