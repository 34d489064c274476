import type { Berth } from '../support/berth.ts';
import type { ChatMessage, Participant } from '../support/practice-client.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { newPublicKey } from './public-key.ts';
import type { Random } from './random.ts';
import { repeatReports } from './repeat-reports.ts';

/**
 * One person goes through all that Berth does, before the trouble begins: so that failpoints which chance seldom leads
 * to are reached in every test run, and one that nothing leads to shows.
 */

const patience = { timeoutMs: 60_000 };
const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);

const agreeTo = async (person: Participant, question: ChatMessage): Promise<void> => {
  const place = question.buttons.flat().findIndex(({ text }) => text.includes('Yes, destroy'));
  await person.press(question, place);
};

/**
 * Ends the worker that runs a command in order: it hands the job back, and another one tells of it. The command, which
 * leaves a mark, is counted at the end as all are; its update comes again, too.
 */
const handOver = async (berth: Berth, person: Participant): Promise<void> => {
  const mark = `mark-${person.id}-tess-0-`;
  const running = await person.ask(`/exec echo ${mark} >> ran; sleep 20`, says('Running'), patience);
  const isBusy = (worker: ServiceProcess): boolean =>
    worker.lines().findLast(({ job }) => job === 'exec')?.msg === 'running a command';
  const busy = berth.workers().find(isBusy);
  if (busy === undefined) throw new Error('no worker is at the command that the chat says is running');
  await busy.end();
  await person.waitForMessage(({ id, text }) => id === running.id && text.includes('❌'), patience);
};

/** The last update comes three times more, and is answered once. */
const comeAgain = async (berth: Berth, person: Participant): Promise<void> => {
  const mark = `mark-${person.id}-tess-1-`;
  await person.ask(`/exec echo ${mark} >> ran`, says('exit code 0'), patience);
  const { recent } = await berth.chat.updates();
  const { update_id: last } = recent.at(-1)!;
  const seen = (): number =>
    berth
      .bot()
      .lines()
      .filter(({ msg, updateId }) => msg === 'update' && updateId === last).length;
  for (let time = 2; time <= 4; time++) {
    await berth.chat.redeliver(last);
    await berth.bot().waitForLine(() => seen() >= time, patience.timeoutMs);
  }
};

const cancelOne = async (person: Participant): Promise<void> => {
  const running = await person.ask('/exec sleep 20', says('Running'), patience);
  await person.send('/cancel');
  await person.waitForMessage(({ id, text }) => id === running.id && text.includes('Cancelled'), patience);
};

/** One message that Telegram will not have; it is never missed. */
const loseOne = async (berth: Berth, person: Participant): Promise<void> => {
  await berth.chat.fault({
    kind: 'refuse',
    method: 'sendMessage',
    chatId: person.chatId,
    description: 'Bad Request: never',
    times: 1,
  });
  await person.send('/plans');
  await berth.bot().waitForLine(({ msg }) => msg === 'a message cannot be delivered', patience.timeoutMs);
};

export const goOnTour = async (berth: Berth, person: Participant, random: Random): Promise<void> => {
  await person.ask('/create gone', says('gone is running'), patience);
  await agreeTo(person, await person.ask('/destroy', says('Destroy'), patience));
  await person.waitForMessage(says('gone is destroyed'), patience);
  await person.ask('/create tess', says('tess is running'), patience);
  await person.ask('/exec seq 3000', says('exit code 0'), patience);
  await person.ask(
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA',
    says('private key'),
    patience,
  );
  await person.ask(`/ssh_key ${newPublicKey(random)}`, says('in force'), patience);
  await person.ask('/password', says('new password'), patience);
  await cancelOne(person);
  await comeAgain(berth, person);
  await handOver(berth, person);
  await loseOne(berth, person);
  await person.ask('/restart', says('is running'), patience);
  await person.ask('/stop', says('is stopped'), patience);
  await person.ask('/start_vm', says('is running'), patience);
  await repeatReports(berth);
  await berth.admin.ask('/config_gpu on', says('GPU'), patience);
  const hasProbed = (worker: ServiceProcess) =>
    worker.waitForLine(({ job, msg }) => job === 'probe-gpu' && msg === 'job ended', patience.timeoutMs);
  await Promise.any(berth.workers().map(hasProbed));
  await berth.admin.ask('/config_gpu off', says('GPU'), patience);
};
