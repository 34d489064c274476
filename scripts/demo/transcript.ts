import { appendFileSync, writeFileSync } from 'node:fs';

/** What happens in the demonstration, on the terminal as it happens and as Markdown in a file. No secret gets into either. */

export type Transcript = {
  /** From now on this text reads as dots, wherever it stands. */
  hide(secret: string): void;
  heading(text: string): void;
  /** What somebody writes or presses. */
  says(who: string, text: string): void;
  /** What Berth answers. */
  answers(who: string, text: string, buttons?: readonly string[]): void;
  /** What was done outside of the chat, and what came of it. */
  shows(where: string, text: string): void;
};

const dots = '••••••••';
/** The ticket in a link is a way in as well. */
const ticket = /(\/[td]\/)[\w-]{16,}/g;

const quote = (text: string): string =>
  text
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
const indent = (text: string): string => text.replaceAll('\n', '\n    ');

export const openTranscript = (path: string, print: (text: string) => void): Transcript => {
  const secrets = new Set<string>();
  const masked = (text: string): string =>
    [...secrets]
      .reduce((rest, secret) => rest.replaceAll(secret, dots), text)
      .replaceAll(ticket, `$1${dots}`);
  const add = (markdown: string, plain: string): void => {
    appendFileSync(path, `${masked(markdown)}\n\n`);
    print(`${masked(plain)}\n`);
  };
  writeFileSync(path, '', { mode: 0o600 });
  return {
    hide: (secret) => void secrets.add(secret),
    heading: (text) => add(`## ${text}`, `\n── ${text}`),
    says: (who, text) => add(`**${who}:** ${text}`, `${who.padEnd(5)} ${indent(text)}`),
    answers(who, text, buttons = []) {
      const row = buttons.map((label) => `[${label}]`).join(' ');
      const all = row === '' ? text : `${text}\n${row}`;
      add(`${quote(`**Berth, to ${who}:**\n\n${all.replaceAll('\n', '  \n')}`)}`, `    ${indent(all)}`);
    },
    shows: (where, text) =>
      add(
        `*${where}:*\n\n\`\`\`text\n${text}\n\`\`\``,
        `    ${where}\n    | ${text.replaceAll('\n', '\n    | ')}`,
      ),
  };
};
