import { formatBytes } from '../format/numbers.ts';
import { bold, code, type FmtString, fmt, join } from '../format/rich-text.ts';
import { inWords, shortened, vmCountInWords } from './parts.ts';
import type { VmVerb } from './refusals.ts';
import { type PlanInWords, planInWords } from './settings.ts';
import { limitsInWords, statusInWords } from './vms.ts';

type CommandInWords = { name: string; usage: string; summary: string; example: string };

export const commandList = (commands: readonly CommandInWords[]): FmtString =>
  join(
    commands.map(({ name, usage, summary }) => fmt`/${name}${usage === '' ? '' : ` ${usage}`} — ${summary}`),
    '\n',
  );

type Welcome = {
  firstName: string;
  isAdministrator: boolean;
  plan: string | null;
  limits: { memoryBytes: number; cpus: number; diskBytes: number; gpu: boolean; sudo: boolean };
  maxVms: number;
  vms: { name: string; status: string }[];
  commands: readonly (CommandInWords & { access: string })[];
};

const nextStep = (vms: Welcome['vms']): FmtString => {
  if (vms.length === 0) return fmt`Next: /create makes your first VM, a machine of your own with SSH.`;
  if (vms.some((vm) => vm.status === 'running')) return fmt`Next: /status shows how to get in.`;
  if (vms.some((vm) => vm.status === 'stopped')) return fmt`Next: /start_vm starts your VM.`;
  return fmt`Next: /status shows how things stand.`;
};

/** Who you are here, your plan, your VMs, what to do next. */
export const welcome = (person: Welcome): FmtString => {
  const { memoryBytes, cpus, diskBytes, gpu, sudo } = person.limits;
  const limits = limitsInWords({
    memory_bytes: memoryBytes,
    cpus,
    disk_bytes: diskBytes,
    gpu: gpu ? 1 : 0,
    sudo: sudo ? 1 : 0,
  });
  const ofAdministrators = person.commands.filter(({ access }) => access === 'administrator');
  return join(
    [
      fmt`👋 Hello${person.firstName === '' ? '' : ` ${person.firstName}`}, this is Berth: development machines of your own, from this chat.`,
      fmt``,
      fmt`You are ${person.isAdministrator ? 'an administrator' : 'a user'}. ${
        person.plan === null ? 'Without a plan the defaults apply' : fmt`Your plan is ${bold(person.plan)}`
      }: ${limits}, ${person.maxVms > 1 ? 'up to ' : ''}${vmCountInWords(person.maxVms)}.`,
      person.vms.length === 0
        ? fmt`You have no VM yet.`
        : fmt`Your ${person.vms.length === 1 ? 'VM' : 'VMs'}: ${join(
            person.vms.map((vm) => fmt`${bold(vm.name)} (${statusInWords(vm.status)})`),
            ', ',
          )}`,
      nextStep(person.vms),
      fmt``,
      commandList(person.commands.filter(({ access }) => access !== 'administrator')),
      ...(ofAdministrators.length === 0
        ? []
        : [fmt``, bold('For administrators'), commandList(ofAdministrators)]),
    ],
    '\n',
  );
};

export const stranger = (userId: number): FmtString =>
  fmt`🔒 Berth is for people on its list, and you are not on it.\nYour Telegram id is ${code(`${userId}`)}. Ask an administrator, or press the button and they will be told.`;
export const removed = (userId: number): FmtString =>
  fmt`🔒 You have been taken off Berth's list. Your data is kept. Your Telegram id is ${code(`${userId}`)}; the button asks the administrators to let you back in.`;
export const asking = (userId: number): FmtString =>
  fmt`⏳ Your request is with the administrators. You will hear from them here. Your Telegram id is ${code(`${userId}`)}.`;

export const accessAsked = fmt`🙋 Asked. The administrators have been told; you will hear from them here.`;
export const accessRequest = (person: { userId: number; name: string; username: string | null }): FmtString =>
  fmt`🙋 ${bold(person.name || 'Somebody')}${person.username === null ? '' : ` (@${person.username})`} asks for access. Telegram id ${code(`${person.userId}`)}.\nLet them in with a plan, or refuse:`;
export const accessGranted = (plan: string | null): FmtString =>
  fmt`🎉 You may use Berth now${plan === null ? '' : fmt`, with the ${bold(plan)} plan`}. /create makes your first VM, /help shows the rest.`;
/** For somebody who was on the list before; what was theirs is there still. */
export const accessRestored = (plan: string | null, vms: readonly string[]): FmtString =>
  fmt`🎉 You may use Berth again${plan === null ? '' : fmt`, with the ${bold(plan)} plan`}. ${
    vms.length === 0
      ? fmt`/create makes a VM`
      : fmt`${inWords(vms)} ${vms.length === 1 ? 'is' : 'are'} still there; /status shows how ${vms.length === 1 ? 'it stands' : 'they stand'}`
  }, /help shows the rest.`;
export const planGiven = (plan: string | null): FmtString =>
  plan === null
    ? fmt`📦 You have no plan any more: the defaults apply to VMs that you make from now on. Those that are there keep theirs.`
    : fmt`📦 Your plan is ${bold(plan)} now. It holds for VMs that you make from now on; those that are there keep theirs. /plans shows what it gives.`;
export const accessRefused = fmt`⛔️ Your request for access was refused.`;
export const userAllowed = (userId: number, username: string | null, plan: string | null): FmtString =>
  fmt`✅ ${userInWords(userId, username)} may use Berth, ${plan === null ? 'with the defaults (no plan)' : fmt`with the ${bold(plan)} plan`}.`;
export const userRefused = (userId: number, username: string | null): FmtString =>
  fmt`⛔️ ${userInWords(userId, username)} was refused.`;
export const requestSettled = (userId: number): FmtString =>
  fmt`The request of ${code(`${userId}`)} has been settled already.`;

/** How somebody is called: by the name that they have on Telegram, else by their id. */
export const personInWords = (
  userId: number,
  known: { firstName: string; username: string | null } | null,
): FmtString => {
  if (known === null || (known.firstName === '' && known.username === null)) return fmt`${code(`${userId}`)}`;
  const firstName = shortened(known.firstName, 32);
  if (known.username === null) return fmt`${firstName}`;
  return firstName === '' ? fmt`@${known.username}` : fmt`${firstName} (@${known.username})`;
};

export const userInWords = (userId: number, username: string | null): FmtString =>
  username === null ? fmt`${code(`${userId}`)}` : fmt`@${username} (${code(`${userId}`)})`;

export const allowedList = (
  users: {
    user_id: number;
    username: string | null;
    name: string | null;
    plan: string | null;
    vms: number;
  }[],
  administrators: readonly number[],
  { page, pages, all }: { page: number; pages: number; all: number },
): FmtString =>
  join(
    [
      fmt`${bold('Administrators')}: ${administrators.join(', ')}`,
      users.length === 0
        ? fmt`Nobody else is on the list yet. ${code('/allow_user 123456789 1')} lets somebody in with plan 1.`
        : fmt`${bold('On the list')}: ${all}${pages > 1 ? `, page ${page + 1} of ${pages}` : ''}`,
      ...users.map(
        (user) =>
          fmt`• ${userInWords(user.user_id, user.username)}${user.name === null ? '' : ` ${shortened(user.name, 32)}`} — ${user.plan ?? 'no plan'}, ${user.vms === 1 ? '1 VM' : `${user.vms} VMs`}`,
      ),
    ],
    '\n',
  );

export const planList = (plans: readonly PlanInWords[], mine: string | null): FmtString =>
  join(
    [
      ...plans.map((plan) => (plan.name === mine ? fmt`➡️ ${planInWords(plan)} (yours)` : planInWords(plan))),
      mine === null
        ? fmt`\nYou have no plan; the defaults apply to you. An administrator can give you one.`
        : fmt`\nAn administrator can give you another plan; it holds for VMs made from then on.`,
    ],
    '\n',
  );

export const unknownCommand = (name: string, closest: string | null): FmtString =>
  closest === null
    ? fmt`I do not know /${name}. /help shows what I understand.`
    : fmt`I do not know /${name}. Did you mean /${closest}? /help shows the rest.`;
export const notForYou = (name: string): FmtString =>
  fmt`/${name} is for administrators. /help shows what you can do.`;
export const onlyInPrivate = fmt`I talk about VMs only in private. Write to me directly, please.`;
export const notACommand = fmt`I understand commands: lines that begin with a slash. /help lists them; ${code('/exec uname -a')} runs something in your VM.`;

export const usage = ({ name, usage: form, example }: CommandInWords, problem: string): FmtString =>
  form === ''
    ? fmt`⚠️ Not done: ${problem}.\nUsage: ${code(`/${name}`)}, and nothing else`
    : fmt`⚠️ Not done: ${problem}.\nUsage: ${code(`/${name} ${form}`)}\nExample: ${code(example)}`;

export const brokenHere = (errorId: string): FmtString =>
  fmt`❌ Berth hit a fault of its own with this and did nothing. Try again; if it stays so, give an administrator this id: ${code(errorId)}`;

const wanted: Record<VmVerb, string> = {
  start: 'start',
  stop: 'stop',
  restart: 'restart',
  destroy: 'destroy',
  exec: 'run it on',
  password: 'change the password of',
  terminal: 'open a terminal on',
};
export const whichVm = (verb: VmVerb): FmtString => fmt`Which VM do you want to ${wanted[verb]}?`;
export const confirmDestroy = (name: string): FmtString =>
  fmt`🗑 Destroy ${bold(name)} for good? Its home and everything in it is deleted; nobody can bring it back.`;
export const kept = (name: string): FmtString => fmt`👍 ${bold(name)} stays.`;
export const destroyConfirmed = (name: string): FmtString => fmt`🗑 ${bold(name)} is being destroyed.`;
export const execWaits = fmt`Which VM should run it?`;
export const whichToCancel = fmt`Which one should be cancelled?`;
export const cancelRequested = 'Cancelling…';

export const vmExited = (name: string, cause: string, exitCode: number, memoryBytes: number): FmtString => {
  switch (cause) {
    case 'out-of-memory':
      return fmt`🛑 ${bold(name)} stopped: it ran out of memory (its limit is ${formatBytes(memoryBytes)}). /start_vm starts it again.`;
    case 'killed':
      return fmt`🛑 ${bold(name)} was killed on the host. /start_vm starts it again.`;
    default:
      return fmt`🛑 ${bold(name)} stopped by itself (exit code ${exitCode}). /start_vm starts it again.`;
  }
};
export const vmOutOfMemory = (name: string, memoryBytes: number): FmtString =>
  fmt`⚠️ ${bold(name)} ran out of memory (its limit is ${formatBytes(memoryBytes)}), and the kernel ended a program in it. The VM itself goes on. A plan with more memory would help; an administrator can give you one.`;
export const vmLost = (name: string): FmtString =>
  fmt`🔴 The container of ${bold(name)} has vanished from the host. /destroy clears up what is left, /create makes a new VM.`;

const operationNouns: Record<string, string> = {
  create: 'creating',
  start: 'starting',
  restart: 'restarting',
  stop: 'stopping',
  destroy: 'destroying',
  exec: 'the command on',
  'build-image': 'the build of the VM image',
  'remove-strays': 'removing what no VM accounts for',
};
export const operationInWords = (kind: string, vmName: string): string =>
  `${operationNouns[kind] ?? kind} ${vmName}`.trim();
export const execChosen = (name: string): FmtString => fmt`It runs on ${bold(name)}.`;
