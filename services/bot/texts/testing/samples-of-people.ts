import { mostSshKeys } from '../../../../shared/user/user.ts';
import { GIB } from '../../../../shared/vm/limits.ts';
import { commands } from '../../commands/index.ts';
import { fmt } from '../../format/rich-text.ts';
import * as buttons from '../buttons.ts';
import * as commandWords from '../commands.ts';
import * as general from '../general.ts';
import * as keys from '../keys.ts';
import * as links from '../links.ts';
import * as vms from '../vms.ts';
import {
  detail,
  fault,
  firstName,
  id,
  key,
  longName,
  message,
  person,
  plan,
  planName,
  publicHost,
  type Said,
  statuses,
  toast,
  userId,
  username,
  vmName,
  vmNames,
  vmRow,
} from './longest.ts';

/** What people read about themselves and their VMs. */

export type Samples<Module> = { [Name in keyof Module]: readonly Said[] };

const row = vmRow('running');
const now = new Date('9999-01-01');
const limits = { memoryBytes: 16 * GIB, cpus: 4, diskBytes: 500 * GIB, gpu: true, sudo: true };
const welcome = {
  firstName,
  isAdministrator: true,
  plan: planName,
  limits,
  maxVms: 100,
  vms: statuses.map((status) => ({ name: vmName, status })),
  commands,
};
const user = { user_id: userId, username, name: firstName, plan: planName, vms: 100 };
const access = vms.accessInWords(row, publicHost, 'p'.repeat(24));
const figures = { cpus: 0.123, memoryBytes: 3 * GIB, diskBytes: 499 * GIB };
/** As long as a quick tunnel's name and a ticket are. */
const url = `https://${'some-words-'.repeat(6)}x.trycloudflare.com/t/${'t'.repeat(43)}`;
const shown = {
  host: publicHost,
  password: 'p'.repeat(24),
  figures,
  diskBytes: 501 * GIB,
  terminals: 12,
  now: new Date(),
};
const keyChange = (status: string, reasonCode: string | null = null) => ({
  name: vmName,
  status,
  reasonCode,
  reasonDetail: detail,
});
const under = (...rows: Said['buttons']): Said[] => [message('What now?', rows)];
const plans = ['1', '2', '3', '4'].map((plan_id) => ({ ...plan, plan_id }));

export const ofGeneral: Samples<typeof general> = {
  commandList: [message(general.commandList(commands))],
  welcome: [
    message(
      general.welcome(welcome),
      buttons.statusOfEach(vmNames.slice(0, 4).map((name) => vmRow('running', name))),
    ),
    message(general.welcome({ ...welcome, firstName: '', plan: null, maxVms: 1, vms: [] }), [
      [buttons.createButton],
    ]),
    message(
      general.welcome({
        ...welcome,
        isAdministrator: false,
        maxVms: 0,
        vms: [{ name: 'box', status: 'failed' }],
      }),
    ),
    message(general.welcome({ ...welcome, vms: [{ name: 'box', status: 'stopped' }] })),
  ],
  stranger: [message(general.stranger(userId), [[buttons.askAccessButton]])],
  removed: [message(general.removed(userId), [[buttons.askAccessButton]])],
  asking: [message(general.asking(userId))],
  accessAsked: [message(general.accessAsked)],
  accessRequest: [
    message(general.accessRequest({ userId, name: firstName, username }), [
      plans.slice(0, 2).map((each) => buttons.grantButton(userId, each)),
      plans.slice(2).map((each) => buttons.grantButton(userId, each)),
      [buttons.refuseButton(userId)],
    ]),
    message(general.accessRequest({ userId, name: '', username: null })),
  ],
  accessGranted: [
    message(general.accessGranted(planName), [[buttons.createButton, buttons.helpButton]]),
    message(general.accessGranted(null)),
  ],
  accessRestored: [
    message(general.accessRestored(planName, vmNames)),
    message(general.accessRestored(null, [vmName])),
    message(general.accessRestored(null, [])),
  ],
  planGiven: [message(general.planGiven(planName)), message(general.planGiven(null))],
  accessRefused: [message(general.accessRefused)],
  userAllowed: [
    message(general.userAllowed(userId, username, planName)),
    message(general.userAllowed(userId, null, null)),
  ],
  userRefused: [message(general.userRefused(userId, username))],
  requestSettled: [message(general.requestSettled(userId))],
  personInWords: [
    message(person),
    message(general.personInWords(userId, null)),
    message(general.personInWords(userId, { firstName, username: null })),
    message(general.personInWords(userId, { firstName: '', username })),
  ],
  userInWords: [message(general.userInWords(userId, username)), message(general.userInWords(userId, null))],
  allowedList: [
    message(
      general.allowedList(Array(20).fill(user), [userId], { page: 1, pages: 3, all: 60 }),
      buttons.pageButtons('people', 1, 3),
    ),
    message(general.allowedList([], [userId, userId - 1], { page: 0, pages: 1, all: 0 })),
    message(
      general.allowedList([user, { ...user, username: null, name: null, plan: null, vms: 1 }], [userId], {
        page: 0,
        pages: 1,
        all: 2,
      }),
    ),
  ],
  planList: [
    message(general.planList(plans, planName)),
    message(general.planList([plan, { ...plan, max_vms: 0 }], null)),
  ],
  unknownCommand: [
    message(general.unknownCommand('c'.repeat(32), 'list_allowed')),
    message(general.unknownCommand('c'.repeat(32), null)),
  ],
  notForYou: [message(general.notForYou('rebuild_image'))],
  onlyInPrivate: [message(general.onlyInPrivate)],
  notACommand: [message(general.notACommand)],
  usage: commands.map((command) => message(general.usage(command, 'something is missing'))),
  brokenHere: [message(general.brokenHere(id))],
  whichVm: (['start', 'stop', 'restart', 'destroy', 'exec', 'password'] as const).map((verb) =>
    message(
      general.whichVm(verb),
      vmNames.map((name) => [buttons.startButton(vmRow('stopped', name), name)]),
    ),
  ),
  confirmDestroy: [
    message(general.confirmDestroy(vmName), [
      [buttons.confirmDestroyButton(row, now)],
      [buttons.keepButton(row)],
    ]),
  ],
  kept: [message(general.kept(vmName))],
  destroyConfirmed: [message(general.destroyConfirmed(vmName))],
  execWaits: [
    message(
      general.execWaits,
      vmNames.map((name) => [buttons.execOnButton(vmRow('running', name), id)]),
    ),
  ],
  whichToCancel: [
    message(
      general.whichToCancel,
      ['create', 'start', 'restart', 'exec', 'build-image'].map((kind) => [
        buttons.cancelThisButton(id, general.operationInWords(kind, kind === 'build-image' ? '' : vmName)),
      ]),
    ),
  ],
  cancelRequested: [toast(general.cancelRequested)],
  vmExited: ['out-of-memory', 'killed', 'exited'].map((cause) =>
    message(general.vmExited(vmName, cause, 137, 16 * GIB), buttons.vmButtons(vmRow('stopped'))),
  ),
  vmOutOfMemory: [message(general.vmOutOfMemory(vmName, 16 * GIB), buttons.vmButtons(row))],
  vmLost: [message(general.vmLost(vmName), buttons.vmButtons(vmRow('lost')))],
  operationInWords: ['create', 'stop', 'destroy', 'exec'].map((kind) =>
    message(general.operationInWords(kind, vmName)),
  ),
  execChosen: [message(general.execChosen(vmName))],
};

export const ofVms: Samples<typeof vms> = {
  stateInWords: statuses.map((status) => message(vms.stateInWords(status))),
  statusInWords: statuses.map((status) => message(vms.statusInWords(status))),
  cpusInWords: [message(vms.cpusInWords(1)), message(vms.cpusInWords(0.5))],
  limitsInWords: [message(vms.limitsInWords(row))],
  sshCommand: [message(vms.sshCommand(22_999, publicHost))],
  accessInWords: [
    message(access),
    message(vms.accessInWords({ ...row, host_key_fingerprint: null }, publicHost, null)),
  ],
  vmCard: [
    ...statuses.map((status) => message(vms.vmCard(vmRow(status), shown), buttons.vmButtons(vmRow(status)))),
    message(vms.vmCard(row, { ...shown, trouble: 'cannot-save' })),
    message(vms.vmCard(row, { ...shown, figures: { cpus: null, memoryBytes: null, diskBytes: null } })),
    message(
      vms.vmCard(
        { ...row, plan: null, running_since: null, host_key_fingerprint: null },
        { ...shown, figures: null, password: null },
      ),
    ),
    message(
      fmt`${vms.vmCard(row, shown)}\n\n${vms.vmCard(vmRow('stopped', 'box'), shown)}`,
      buttons.statusOfEach([vmRow('running', 'box'), vmRow('stopped', 'box-2'), vmRow('stopped', 'box-3')]),
    ),
  ],
};

export const ofKeys: Samples<typeof keys> = {
  privateKeySent: [message(keys.privateKeySent)],
  keyKind: ['ssh-rsa', 'ssh-ed25519', 'ecdsa-sha2-nistp256', key.type].map((type) =>
    message(keys.keyKind({ type, bits: 16_384 })),
  ),
  keyInWords: [message(keys.keyInWords(key)), message(keys.keyInWords({ ...key, comment: '' }))],
  keyList: [
    message(keys.keyList([])),
    message(
      keys.keyList(Array(mostSshKeys).fill(key)),
      Array(mostSshKeys).fill([buttons.removeKeyButton(key, key.comment)]),
    ),
  ],
  keysChanged: (['added', 'removed'] as const).flatMap((change) => [
    message(keys.keysChanged(change, key, [])),
    message(
      keys.keysChanged(change, key, [
        ...['open', 'succeeded', 'comes-up', 'at-start', 'gone', 'timed-out'].map((status) =>
          keyChange(status),
        ),
        keyChange('failed', 'vm-not-running'),
        keyChange('failed', 'docker-refused'),
      ]),
    ),
  ]),
  sshKeyKnown: [message(keys.sshKeyKnown)],
  tooManySshKeys: [message(keys.tooManySshKeys(mostSshKeys))],
  sshKeyGone: [toast(keys.sshKeyGone)],
  keyProblems: Object.values(keys.keyProblems).map(fault),
  passwordPending: [message(keys.passwordPending(vmName))],
  passwordChanged: [true, false].map((running) =>
    message(keys.passwordChanged(vmName, running, access), buttons.vmButtons(row)),
  ),
  passwordOvertaken: [message(keys.passwordOvertaken(vmName))],
  passwordFailed: ['docker-refused', 'vm-not-running', null].map((reasonCode) =>
    message(keys.passwordFailed(vmName, { reasonCode, reasonDetail: detail, reference: fmt`\nid ${id}` })),
  ),
};

export const ofLinks: Samples<typeof links> = {
  linkOpen: [message(links.linkOpen(vmName)), message(links.linkOpen(null))],
  linkOffered: [
    message(links.linkOffered(vmName, url, detail), [[buttons.linkButton(links.openTerminalLabel, url)]]),
    message(links.linkOffered(null, url, null), [[buttons.linkButton(links.openQueuesLabel, url)]]),
  ],
  linkSpent: [message(links.linkSpent(vmName)), message(links.linkSpent(null))],
  linkMoved: [message(links.linkMoved(vmName)), message(links.linkMoved(null))],
  tooManyLinks: [message(links.tooManyLinks(3))],
  linkFailed: [
    message(
      links.linkFailed(vmName, {
        reasonCode: 'tunnel-unavailable',
        reasonDetail: detail,
        reference: fmt`\nid ${id}`,
      }),
    ),
  ],
  linkTimedOut: [message(links.linkTimedOut(vmName, fmt`\nid ${id}`))],
  terminalsOpen: [message(links.terminalsOpen(1)), message(links.terminalsOpen(12))],
  terminalsClosed: [toast(links.terminalsClosed)],
  openTerminalLabel: under([buttons.linkButton(links.openTerminalLabel, url)]),
  openQueuesLabel: under([buttons.linkButton(links.openQueuesLabel, url)]),
};

export const ofCommands: Samples<typeof commandWords> = {
  commandTexts: Object.values(commandWords.commandTexts).map(({ usage, summary, example }) =>
    message(`${example} (${usage}): ${summary}`),
  ),
};

/** Where they stand alone here, they stand alone in the chat too. */
export const ofButtons: Samples<Omit<typeof buttons, 'confirmationLifetime' | 'longestLabel'>> = {
  startButton: under([buttons.startButton(row)], [buttons.startButton(row, vmName)]),
  stopButton: under([buttons.stopButton(row)], [buttons.stopButton(row, vmName)]),
  restartButton: under([buttons.restartButton(row)], [buttons.restartButton(row, vmName)]),
  destroyButton: under([buttons.destroyButton(row)], [buttons.destroyButton(row, vmName)]),
  statusButton: under([buttons.statusButton(row)]),
  terminalButton: under([buttons.terminalButton(row)], [buttons.terminalButton(row, vmName)]),
  closeTerminalsButton: under(
    [buttons.closeTerminalsButton(row, 1)],
    [buttons.closeTerminalsButton(row, 10)],
  ),
  linkButton: under([buttons.linkButton(links.openTerminalLabel, url)]),
  confirmDestroyButton: under([buttons.confirmDestroyButton(row, now)]),
  keepButton: under([buttons.keepButton(row)]),
  cancelButton: under([buttons.cancelButton(id)]),
  cancelThisButton: under([buttons.cancelThisButton(id, general.operationInWords('exec', vmName))]),
  createButton: under([buttons.createButton]),
  helpButton: under([buttons.helpButton]),
  askAccessButton: under([buttons.askAccessButton]),
  grantButton: under([
    buttons.grantButton(userId, { ...plan, plan_id: '1'.repeat(20) }),
    buttons.grantButton(userId, plan),
  ]),
  refuseButton: under([buttons.refuseButton(userId)]),
  execOnButton: under([buttons.execOnButton(row, id)]),
  vmButtons: statuses.flatMap((status) => [
    message(status, buttons.vmButtons(vmRow(status))),
    message(status, buttons.vmButtons(vmRow(status), { mayStart: false })),
  ]),
  pageButtons: [0, 1, 2].map((page) => message('Page', buttons.pageButtons('people', page, 3))),
  statusOfEach: [
    ...under(...buttons.statusOfEach([row, row, row])),
    ...under(...buttons.statusOfEach([vmRow('running', 'box'), vmRow('running', 'box-2')])),
  ],
  removeKeyButton: under(
    [buttons.removeKeyButton(key, key.comment)],
    [buttons.removeKeyButton(key, '🗝'.repeat(60))],
  ),
  passwordButton: under([buttons.passwordButton(row)], [buttons.passwordButton(row, vmName)]),
  olderButton: under(
    [buttons.olderButton('history', id, Number.MAX_SAFE_INTEGER)],
    [buttons.olderButton('audit', userId, Number.MAX_SAFE_INTEGER)],
  ),
  showStraysButton: under([buttons.showStraysButton]),
  removeStrayButton: under([buttons.removeStrayButton('m'.repeat(20), longName)]),
  removeAllStraysButton: under([buttons.removeAllStraysButton(9_999)]),
  confirmStraysButton: under([buttons.confirmStraysButton(Number.MAX_SAFE_INTEGER)]),
  keepStraysButton: under([buttons.keepStraysButton]),
  confirmForceDestroyButton: under([buttons.confirmForceDestroyButton(Number.MAX_SAFE_INTEGER)]),
  dropForceDestroyButton: under([buttons.dropForceDestroyButton]),
};
