import { bold, code, type FmtString, fmt } from '../format/rich-text.ts';
import { failureInWords } from './failures.ts';

/** One-time links into the browser. `name`: the VM's; null for the queues. */

const what = (name: string | null): FmtString =>
  name === null ? fmt`the queues` : fmt`a terminal on ${bold(name)}`;

export const linkOpen = (name: string | null): FmtString => fmt`⏳ Preparing a link to ${what(name)}…`;

export const linkOffered = (name: string | null, url: string, note: string | null): FmtString =>
  fmt`${name === null ? fmt`📊 The queues at a glance` : fmt`🖥 A terminal on ${bold(name)}`}, in your browser:\n${url}\nThe link opens once, within 5 minutes, and is yours alone.${note === null ? '' : fmt`\nℹ️ ${note}`}`;

export const linkSpent = (name: string | null): FmtString =>
  fmt`⌛️ The link to ${what(name)} is no longer good. ${name === null ? '/dashboard' : '/web_terminal'} gives a new one.`;

export const linkMoved = (name: string | null): FmtString =>
  fmt`⌛️ The link to ${what(name)} leads nowhere now: the way to the gateway has changed since, or is just being opened anew. ${name === null ? '/dashboard' : '/web_terminal'} gives one that works.`;

export const linkFailed = (
  name: string | null,
  {
    reasonCode,
    reasonDetail,
    reference,
  }: { reasonCode: string | null; reasonDetail: string | null; reference: FmtString },
): FmtString => {
  const { what: happened, next } = failureInWords(reasonCode, reasonDetail);
  return fmt`❌ No link to ${what(name)}.\n${happened}\n${next}${reference}`;
};

export const linkTimedOut = (name: string | null, reference: FmtString): FmtString =>
  fmt`⌛️ The gateway did not answer, so there is no link to ${what(name)}. Try again in a minute; ${code('/admin_info')} shows administrators what is missing.${reference}`;

export const tooManyLinks = (most: number): FmtString =>
  fmt`${most} links of yours are being prepared already; they come here as soon as the gateway answers.`;
export const terminalsOpen = (count: number): string =>
  count === 1 ? '🖥 1 terminal is open' : `🖥 ${count} terminals are open`;
export const terminalsClosed = 'Closed.';
export const openTerminalLabel = '🖥 Open terminal';
export const openQueuesLabel = '📊 Open the queues';
