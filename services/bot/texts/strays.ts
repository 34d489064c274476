import { formatDuration } from '../format/numbers.ts';
import { bold, code, type FmtString, fmt, join } from '../format/rich-text.ts';
import { failureInWords } from './failures.ts';
import { inWords, shortened } from './parts.ts';

/** What bears Berth's label on a host without a VM that accounts for it: only administrators read of it. */

type ThingInWords = { kind: string; name: string; running: boolean };
export type StrayInWords = {
  host: string;
  reason: string;
  vmId: string | null;
  /** Whoever the label names; null where it names nobody. */
  owner: FmtString | null;
  things: ThingInWords[];
  /** Milliseconds; null where Docker does not tell. */
  age: number | null;
  /** It is being removed. */
  going: boolean;
};

/** As much of a name as still tells it apart. */
const shownName = 48;

const thingInWords = ({ kind, name, running }: ThingInWords): string =>
  `${kind} ${shortened(name, shownName)}${running ? ' (running)' : ''}`;

/** `container berth-k3j9x2a1`, or how many they are. */
export const straysInShort = (things: readonly { kind: string; name: string }[]): string => {
  const [only] = things;
  return only !== undefined && things.length === 1
    ? `${only.kind} ${shortened(only.name, shownName)}`
    : `${things.length} things that no VM accounted for`;
};

const whyStray: Record<string, string> = {
  'unknown-vm': 'no VM of that id stands in the records',
  misnamed: 'Berth does not name things so',
  'other-host': 'its VM belongs to another host; was HOST_ID changed?',
  'lost-vm': 'its VM counts as lost, and destroying the VM removes it',
};

const kindInWords = ({ kind, running }: ThingInWords): string => `${kind}${running ? ' (running)' : ''}`;

/** One line: what it is, how old, whose by its label, and why it is told. */
export const strayInWords = ({ reason, vmId, owner, things, age, going }: StrayInWords): FmtString => {
  const what =
    reason === 'unknown-vm'
      ? fmt`VM ${code(shortened(vmId ?? '', shownName))}: ${inWords(things.map(kindInWords))}`
      : fmt`${inWords(things.map(thingInWords))}`;
  const facts = [
    ...(age === null ? [] : [fmt`${formatDuration(age)} old`]),
    owner === null ? fmt`labelled as nobody's` : fmt`labelled as that of ${owner}`,
    going ? fmt`being removed` : fmt`${whyStray[reason] ?? reason}`,
  ];
  return fmt`• ${what}, ${join(facts, ', ')}`;
};

/** Of very many the first ones stand for all. */
const shown = 8;
const linesOf = (strays: readonly StrayInWords[]): FmtString[] => [
  ...strays.slice(0, shown).map(strayInWords),
  ...(strays.length > shown ? [fmt`… and ${strays.length - shown} more`] : []),
];

/** `gone`: how many of those that were told once are no longer there. */
export const straysTold = (host: string, strays: readonly StrayInWords[], gone: number): FmtString => {
  if (strays.length === 0) return fmt`✅ What no VM accounted for on host ${bold(host)} is gone.`;
  return join(
    [
      fmt`🔴 On host ${bold(host)} there is something with Berth's label that no VM accounts for. It is left alone until somebody decides.`,
      ...linesOf(strays),
      ...(gone === 0 ? [] : [fmt`${gone === 1 ? 'One other is' : `${gone} others are`} gone by now.`]),
      fmt`Restored from an older backup, or is another Berth at work with the same INSTANCE? docs/operations.md says how to save what is in there.`,
    ],
    '\n',
  );
};

/** All that there are now, of all hosts. */
export const allStrays = (strays: readonly StrayInWords[]): FmtString => {
  if (strays.length === 0) return fmt`✅ Everything with Berth's label is accounted for.`;
  const count = strays.length;
  return join(
    [
      fmt`🔴 ${count === 1 ? 'One thing' : `${count} things`} with Berth's label that no VM accounts for:`,
      ...linesOf(strays),
    ],
    '\n',
  );
};

export const confirmStrayRemoval = (strays: readonly StrayInWords[]): FmtString =>
  join(
    [
      fmt`⚠️ Remove this, with everything in it? It cannot be undone, and no backup of Berth's holds it.`,
      ...linesOf(strays),
    ],
    '\n',
  );
export const strayRemovalConfirmed = fmt`🗑 Asked the host to remove it.`;
export const straysKept = fmt`👍 It stays as it is.`;
export const straysGoneAlready = fmt`That is gone, on its way out, or accounted for by now; there is nothing to remove.`;

type RemovalInWords = {
  host: string;
  things: readonly { kind: string; name: string }[];
  elapsedMs: number;
  reasonCode: string | null;
  reasonDetail: string | null;
  reference: FmtString;
};
export const strayRemovalOpen = ({ host, things }: RemovalInWords): FmtString =>
  fmt`⏳ Removing ${straysInShort(things)} from host ${bold(host)}…`;
export const strayRemovalDone = ({ host, things, elapsedMs }: RemovalInWords): FmtString =>
  fmt`🗑 Removed from host ${bold(host)}: ${straysInShort(things)} (${formatDuration(elapsedMs)}).`;
export const strayRemovalFailed = ({
  host,
  reasonCode,
  reasonDetail,
  reference,
}: RemovalInWords): FmtString => {
  const { what } = failureInWords(reasonCode, reasonDetail);
  return fmt`❌ Not everything could be removed from host ${bold(host)}.\n${what} What is left is shown by the button.${reference}`;
};
export const strayRemovalTimedOut = ({ host, elapsedMs, reference }: RemovalInWords): FmtString =>
  fmt`⌛️ The removal on host ${bold(host)} did not end within ${formatDuration(elapsedMs)}; it may still happen. What is left is shown by the button.${reference}`;
