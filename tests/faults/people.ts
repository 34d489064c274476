import { setTimeout as pause } from 'node:timers/promises';
import type { ChatMessage, Participant } from '../support/practice-client.ts';
import { newPublicKey } from './public-key.ts';
import type { Random } from './random.ts';

/** People who do whatever they like: they write commands and press buttons, without waiting for answers. */

export type Act = (person: Participant, random: Random) => Promise<unknown>;
export type Behaviour = readonly (readonly [number, Act])[];

const say =
  (...texts: string[]): Act =>
  (person, random) =>
    person.send(random.pick(texts));

const withButtons = (message: ChatMessage): boolean =>
  message.fromBot && message.buttons.some((row) => row.some((button) => !('url' in button)));

/** Any button of the last messages: many are out of date by now. */
const press: Act = async (person, random) => {
  const candidates = person.messages().filter(withButtons).slice(-6);
  if (candidates.length === 0) return;
  const message = random.pick(candidates);
  const labels = message.buttons.flat().filter((button) => !('url' in button));
  await person.press(message, message.buttons.flat().indexOf(random.pick(labels)));
};

/** Agrees to the last question whether something should be destroyed. */
const agree: Act = async (person) => {
  const question = person
    .messages()
    .findLast(
      ({ fromBot, buttons }) => fromBot && buttons.flat().some(({ text }) => text.includes('Yes, destroy')),
    );
  if (question === undefined) return;
  const place = question.buttons.flat().findIndex(({ text }) => text.includes('Yes, destroy'));
  await person.press(question, place);
};

/**
 * A command that leaves its mark in the VM each time it runs; the name is given, so that no button has to be pressed
 * that could be pressed twice. Counted when the run is over.
 */
const exec = (vmName: string): Act => {
  let marks = 0;
  return (person, random) => {
    marks += 1;
    const mark = `mark-${person.id}-${vmName}-${marks}-`;
    const rest = random.pick([
      '',
      '',
      '; sleep 2',
      '; seq 3000',
      '; sleep 20',
      '; exit 3',
      '; sleep 30 & sleep 1',
    ]);
    return person.send(`/exec ${vmName}: echo ${mark} >> ran; echo ${mark}${rest}`);
  };
};
/** Finds the marks in what a VM keeps. */
export const markPattern = /mark-\d+-[a-z]+-\d+-/g;
/** The same in a command as the chat shows it; one for a VM that is not there is taken for the command itself. */
export const markShown = /\$ echo (mark-\d+-[a-z]+-\d+-)/;

/** The beginning of one: the bot takes it out of the chat. */
const privateKey = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA';
const addKey: Act = (person, random) => person.send(`/ssh_key ${newPublicKey(random)}`);

/** What the owner of one VM of that name does. */
export const ownerOf = (vmName: string): Behaviour => [
  [16, say(`/create ${vmName}`)],
  [32, exec(vmName)],
  [7, say(`/stop ${vmName}`)],
  [9, say(`/start_vm ${vmName}`)],
  [5, say(`/restart ${vmName}`)],
  [5, say(`/status ${vmName}`, '/status')],
  [3, say(`/password ${vmName}`)],
  [3, addKey],
  [2, say('/cancel')],
  [1, say(privateKey)],
  [4, say(`/destroy ${vmName}`)],
  [5, agree],
  [6, press],
  [3, say('/history', '/plans', '/help', '/start', '/ssh_key', 'hello', '/creat')],
];

export const administrator = (userIds: readonly number[]): Behaviour => [
  [2, say('/maintenance on')],
  [12, say('/maintenance off')],
  [3, (person, random) => person.send(`/force_stop ${random.pick(userIds)} because`)],
  [1, say('/force_stop all')],
  [1, (person, random) => person.send(`/force_destroy ${random.pick(userIds)}`)],
  [1, agree],
  [
    4,
    say(
      '/config_ram 1g',
      '/config_cpu 1',
      '/config_gpu off',
      '/config_gpu on',
      '/config_gpu off',
      '/config_plan 1 ram 1g',
      '/config_plan 2 cpu 1',
    ),
  ],
  [2, (person, random) => person.send(`/remove_user ${random.pick(userIds)}`)],
  [8, (person, random) => person.send(`/allow_user ${random.pick(userIds)} 2`)],
  [3, say('/admin_info', '/list_allowed', '/audit', '/plans')],
  [3, press],
];

/** The message was edited at this very moment and has no such button any more; the person has the bot blocked. */
const outpaced = /there is no such button|no such message|unblock the bot first/;

/** Acts until the signal aborts, with random pauses of about `every` milliseconds. */
export const live = async (
  person: Participant,
  behaviour: Behaviour,
  random: Random,
  { every, signal }: { every: number; signal: AbortSignal },
): Promise<void> => {
  while (!signal.aborted) {
    const act = random.weigh(behaviour);
    await act(person, random).catch((error: unknown) => {
      if (!outpaced.test(String(error))) throw error;
    });
    await pause(every * (0.3 + 1.4 * random.next()), undefined, { signal }).catch(() => undefined);
  }
};
