import { bold, code, type FmtString, fmt } from '../format/rich-text.ts';
import { inWords, shortened, vmCountInWords } from './parts.ts';
import { stateInWords } from './vms.ts';

/** What a person reads when a command is against the rules of the moment: what is so, and what to do. */

type VmInWords = { name: string; status: string; paused?: number };
export type VmVerb = 'start' | 'stop' | 'restart' | 'destroy' | 'exec' | 'password' | 'terminal';

const doing: Record<VmVerb, string> = {
  start: 'started',
  stop: 'stopped',
  restart: 'restarted',
  destroy: 'destroyed',
  exec: 'used',
  password: 'given a new password',
  terminal: 'used',
};

export const vmRefusal = (verb: VmVerb, vm: VmInWords): FmtString => {
  const name = bold(vm.name);
  switch (vm.status) {
    case 'creating':
      return fmt`${name} is still being created. You will read here when it is ready; /cancel stops the creation.`;
    case 'starting':
      return fmt`${name} is just starting. Wait for its message, or /cancel.`;
    case 'running':
      return fmt`${name} is running already. /status shows how to reach it.`;
    case 'stopping':
      return fmt`${name} is just stopping. Wait for its message, then send ${verb === 'password' ? '/password again' : '/start_vm'}.`;
    case 'stopped':
      if (vm.paused === 1) {
        return fmt`${name} is stopped for maintenance, and starts again by itself when that ends.`;
      }
      return verb === 'exec' || verb === 'terminal'
        ? fmt`${name} is stopped, so nothing can run in it. Start it with /start_vm, then try again.`
        : fmt`${name} is stopped already. /start_vm starts it.`;
    case 'destroying':
      return fmt`${name} is being destroyed and cannot be ${doing[verb]} any more.`;
    case 'destroyed':
    case 'none':
      return fmt`${name} is destroyed and cannot be ${doing[verb]} any more. /create makes a new VM.`;
    case 'failed':
      return fmt`${name} has failed: it could not be created or removed, so it cannot be ${doing[verb]}. /destroy clears it away, /create makes a new one.`;
    case 'lost':
      return fmt`The container of ${name} has vanished from the host, so it cannot be ${doing[verb]}. /destroy clears up what is left, /create makes a new one.`;
    default:
      return fmt`${name} is ${stateInWords(vm.status)} and cannot be ${doing[verb]} now.`;
  }
};

export const operationEnded = fmt`That has ended already; there is nothing to cancel.`;
export const notCancellable = fmt`A stop, a removal or a new password on its way cannot be called back. You will read here when it is done.`;
export const tooManyExecs = (most: number): FmtString =>
  fmt`You have ${most} commands running, and no more can run at once. Wait for one to end, or /cancel one.`;
export const cancelledAlready = fmt`That is being cancelled already; you will read here when it has ended.`;
export const nothingToCancel = fmt`Nothing of yours is waiting or running.`;
export const movedOn = (vm: VmInWords): string =>
  `Things have moved on: ${vm.name} is ${stateInWords(vm.status)} now. /status shows what you can do.`;
export const buttonExpired = 'This question has expired. Send the command again.';
export const buttonNotYours = 'This button is not for you.';
export const buttonUnknown = 'This button no longer works. /help shows what does.';

export const noVm = fmt`You have no VM yet. /create makes one.`;
export const noVmCalled = (name: string, names: string[]): FmtString =>
  names.length === 0
    ? fmt`You have no VM called ${code(name)}; you have none at all yet. /create makes one.`
    : fmt`You have no VM called ${code(name)}. Yours: ${names.join(', ')}.`;

export const limitReached = (max: number, names: string[], plan: string | null): FmtString => {
  const may = fmt`${plan === null ? 'You may' : `With the ${plan} plan you may`} have ${vmCountInWords(max)} at a time`;
  return names.length === 0
    ? fmt`${may}. Ask an administrator for another plan.`
    : fmt`${may}, and you have ${inWords(names)}. /destroy one to make room, or ask an administrator for another plan.`;
};
export const stillLeaving = (names: string[]): FmtString =>
  names.length === 1
    ? fmt`${inWords(names)} is being destroyed and still counts. Send /create again when you have read here that it is gone.`
    : fmt`${inWords(names)} are being destroyed and still count. Send /create again when you have read here that they are gone.`;
export const nameTaken = (name: string): FmtString =>
  fmt`You have a VM called ${bold(name)} already. Choose another name: ${code('/create other-name')}`;
export const noPortLeft = fmt`Every SSH port of this host is in use, so no VM can be made now. An administrator can widen SSH_PORT_RANGE, or destroy a VM that nobody needs.`;

export const nameRule =
  'a name has 1–32 lower-case letters, digits and hyphens, and neither begins nor ends with a hyphen';
export const argumentsWrong = 'what stands behind the command does not fit';
export const noArgumentWanted = 'this command takes nothing behind it';
export const commandMissing = 'the command to run is missing';
export const commandTooLong =
  'the command is too long: 3,500 characters at most. Put it into a file and run that';
export const nulByte = 'the command holds a character that no shell can take (NUL)';

export const refusedLately = 'An administrator refused you lately. You can ask again a day later.';
export const severalCalledSo = (text: string, ids: readonly number[]): string =>
  `${shortened(text)} is, or was, the name of several people: ${ids.slice(0, 10).join(', ')}; give the id of the one you mean`;
export const badUserId = 'the first word must be a Telegram user id, such as 123456789';
export const tooManyWords = 'there are too many words';
export const planUnknown = (word: string, plans: string[]): string =>
  `there is no plan ${shortened(word)}; the plans are ${plans.join(', ')}`;
export const badUsername = (word: string, plans: string[]): string =>
  `${shortened(word)} is neither a plan (${plans.join(', ')}) nor a Telegram user name`;
export const alreadyEnded = 'That has ended already.';
export const inputGone = 'That command is no longer waiting. Send it again.';
export const noteTooLong = (most: number): string => `the reason is too long: ${most} characters at most`;
