import type {
  ChatMessage,
  Matches,
  Participant,
  PracticeClient,
} from '../../tests/support/practice-client.ts';
import type { Transcript } from './transcript.ts';

/** Somebody in the demonstration: what they write, press and read goes into the transcript. */

export type Person = {
  readonly name: string;
  readonly id: number;
  /** Writes, and reads the bot's answer once it matches; what it reads before that is shown too. */
  ask(text: string, matches?: Matches): Promise<ChatMessage>;
  press(message: ChatMessage, button: string): Promise<void>;
  /** Reads a message that comes by itself, or has come already. */
  reads(matches: Matches): Promise<ChatMessage>;
};

/** Milliseconds; a first creation may have to build the image. */
const patience = 20 * 60_000;

export const says =
  (...parts: string[]): Matches =>
  ({ text, fromBot }) =>
    fromBot && parts.every((part) => text.includes(part));

/** Password and link are ways in. */
const secretsOf = ({ text, entities }: ChatMessage): string[] =>
  entities
    .filter(({ type }) => type === 'code')
    .map(({ offset, length }) => text.slice(offset, offset + length))
    .filter((code) => /^[A-Za-z0-9]{20,}$/.test(code));

export const meet = (chat: PracticeClient, transcript: Transcript, id: number, name: string): Person => {
  const participant: Participant = chat.person(id);
  const read = (message: ChatMessage): ChatMessage => {
    for (const secret of secretsOf(message)) transcript.hide(secret);
    const buttons = message.buttons.flat().map(({ text }) => text);
    transcript.answers(name, message.text, buttons);
    return message;
  };
  return {
    name,
    id,
    async ask(text, matches) {
      transcript.says(name, text);
      const first = await participant.ask(text);
      if (matches === undefined || matches(first)) return read(first);
      read(first);
      // The same message, edited, or a new one.
      const last = await participant.waitForMessage(
        (message) => message.id >= first.id && message.fromBot && matches(message),
        { timeoutMs: patience },
      );
      return read(last);
    },
    async press(message, button) {
      transcript.says(name, `presses [${button}]`);
      await participant.pressAndWait(message, button);
    },
    reads: async (matches) => read(await participant.waitForMessage(matches, { timeoutMs: patience })),
  };
};
