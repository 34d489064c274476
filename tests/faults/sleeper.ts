import type { Berth } from '../support/berth.ts';
import type { ChatMessage, Participant } from '../support/practice-client.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { whenStopped } from './slots.ts';

/**
 * A worker sleeps in the middle of a creation; another one finishes it, and the VM is removed. What the first one does
 * when it wakes must not bring anything back: the container or the volume would have no owner.
 */

const patience = { timeoutMs: 90_000 };
const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);

/** Resolves with the first of them to stand still before that side effect; the others go by. */
const firstToSleep = async (workers: readonly ServiceProcess[], point: string): Promise<ServiceProcess> => {
  const sleeper = await new Promise<ServiceProcess>((resolve) => {
    for (const worker of workers) {
      worker.onMessage(() => resolve(worker));
      worker.send(`arm: ${point}`);
    }
  });
  for (const worker of workers) if (worker !== sleeper) worker.send('disarm');
  await whenStopped(sleeper.pid);
  return sleeper;
};

export const sleepThroughRemoval = async (
  berth: Berth,
  person: Participant,
  point: string,
): Promise<void> => {
  const asleep = firstToSleep(berth.workers(), point);
  await person.send('/create nap');
  const sleeper = await asleep;
  await person.waitForMessage(says('nap is running'), patience);
  const question = await person.ask('/destroy', says('Destroy'), patience);
  await person.press(
    question,
    question.buttons.flat().findIndex(({ text }) => text.includes('Yes, destroy')),
  );
  await person.waitForMessage(says('nap is destroyed'), patience);
  sleeper.signal('SIGCONT');
  await sleeper.waitForLine(
    ({ msg }) => /^job (was superseded|is handed back|ended)$/.test(msg ?? ''),
    patience.timeoutMs,
  );
};
