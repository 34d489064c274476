import { z } from 'zod';
import { fmt, plain } from '../format/rich-text.ts';
import { findPlan, findPlans } from '../queries.ts';
import { commandTexts } from '../texts/commands.ts';
import { planUnknown } from '../texts/refusals.ts';
import {
  badSwitch,
  cpusSet,
  gpuSwitchedOff,
  gpuUnchanged,
  memorySet,
  planArgumentsMissing,
  planChanged,
  planFieldUnknown,
  planNameTaken,
} from '../texts/settings.ts';
import { anyText, defineCommand, UsageError } from './command.ts';
import { planFields, readCpus, readMemory } from './plan-values.ts';

/** What VMs made from now on get. */

export const onOrOff = z.enum(['on', 'off'], badSwitch);

export const configRam = defineCommand({
  name: 'config_ram',
  ...commandTexts.configRam,
  access: 'administrator',
  arguments: anyText,
  async run(conversation, text) {
    const { hosts, config, now } = conversation;
    const { value, remark } = readMemory(text, hosts.factsOf(config.HOST_ID));
    const data = { memoryBytes: value, at: now.toISOString() };
    const events = await conversation.handleSettings({ type: 'SetDefaultMemory', data });
    await conversation.reply(plain(fmt`${memorySet(value, events.length > 0)}${remark}`));
  },
});

export const configCpu = defineCommand({
  name: 'config_cpu',
  ...commandTexts.configCpu,
  access: 'administrator',
  arguments: anyText,
  async run(conversation, text) {
    const { hosts, config, now } = conversation;
    const { value, remark } = readCpus(text, hosts.factsOf(config.HOST_ID));
    const data = { cpus: value, at: now.toISOString() };
    const events = await conversation.handleSettings({ type: 'SetDefaultCpus', data });
    await conversation.reply(plain(fmt`${cpusSet(value, events.length > 0)}${remark}`));
  },
});

export const configGpu = defineCommand({
  name: 'config_gpu',
  ...commandTexts.configGpu,
  access: 'administrator',
  arguments: z.string().toLowerCase().pipe(onOrOff),
  async run(conversation, wanted) {
    const { config, now } = conversation;
    const gpu = wanted === 'on';
    const events = await conversation.handleSettings({
      type: 'SetGpuPassthrough',
      data: { gpu, at: now.toISOString() },
    });
    if (gpu) {
      // Said again where it is on already: whoever asks wants to know whether it works now.
      conversation.askForGpu(await conversation.show({ kind: 'gpu', host: config.HOST_ID }));
    } else await conversation.reply(plain(events.length > 0 ? gpuSwitchedOff : gpuUnchanged(false)));
  },
});

export const configPlan = defineCommand({
  name: 'config_plan',
  ...commandTexts.configPlan,
  access: 'administrator',
  arguments: z
    .string()
    .transform((text) => text.split(/\s+/).filter((word) => word !== ''))
    .refine((words) => words.length >= 3, planArgumentsMissing),
  async run(conversation, [wanted = '', field = '', ...rest]) {
    const { trx, hosts, config, now } = conversation;
    const plans = await findPlans(trx);
    const isCalled = (name: string) => (known: { name: string }) =>
      known.name.toLowerCase() === name.toLowerCase();
    const plan = plans.find(({ plan_id }) => plan_id === wanted) ?? plans.find(isCalled(wanted));
    if (plan === undefined) {
      const known = plans.map(({ plan_id, name }) => `${plan_id} (${name})`);
      throw new UsageError(planUnknown(wanted, known));
    }
    const name = field.toLowerCase();
    const read = Object.hasOwn(planFields, name) ? planFields[name] : undefined;
    if (read === undefined) throw new UsageError(planFieldUnknown(field));
    const { changes, remark } = read(rest.join(' '), hosts.factsOf(config.HOST_ID));
    const taken = plans.some((other) => other !== plan && isCalled(changes.name ?? '')(other));
    if (changes.name !== undefined && taken) throw new UsageError(planNameTaken(changes.name));
    const planId = plan.plan_id;
    const events = await conversation.handlePlan(planId, {
      type: 'ChangePlan',
      data: { planId, changes, at: now.toISOString() },
    });
    const after = (await findPlan(trx, planId)) ?? plan;
    await conversation.reply(plain(fmt`${planChanged(after, events.length > 0)}${remark}`));
  },
});
