import { bold, type FmtString, fmt, join } from '../format/rich-text.ts';
import { shortened } from './parts.ts';

/** What happened, a line each. Times are UTC: Telegram does not say where somebody is. */

const clock = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'UTC',
});

/** `24 Nov 12:05` of an ISO time. */
export const timeInWords = (iso: string): string => clock.format(new Date(iso)).replace(',', '');

export type HistoryLine = {
  at: string;
  subject: string | null;
  what: string;
  who: FmtString | null;
  why: string | null;
};

/** A page of such lines fits into a message. */
const longestReason = 150;

const lineInWords = ({ at, subject, what, who, why }: HistoryLine): FmtString =>
  fmt`• ${timeInWords(at)} ${subject === null ? '' : fmt`${bold(subject)} `}${what}${who === null ? '' : fmt` — ${who}`}${why === null ? '' : fmt` (${shortened(why, longestReason)})`}`;

export const historyPage = (title: FmtString, lines: readonly HistoryLine[], older: boolean): FmtString =>
  lines.length === 0
    ? fmt`${title}\n${older ? 'That is the beginning.' : 'Nothing has happened yet.'}`
    : join([title, ...lines.map(lineInWords)], '\n');

export const historyTitle = (name: string | null): FmtString =>
  name === null
    ? fmt`📜 What happened to your VMs (UTC, newest first)`
    : fmt`📜 What happened to ${bold(name)} (UTC, newest first)`;
export const auditTitle = (who: FmtString | null): FmtString =>
  who === null
    ? fmt`📋 Who did what (UTC, newest first)`
    : fmt`📋 What ${who} did, and what was done to them (UTC, newest first)`;

export const you = fmt`you`;
export const itself = fmt`by itself`;
export const userUnknown = (text: string): string =>
  `${shortened(text)} is nobody I know: give a Telegram id or a user name`;
