import { bold, code, type FmtString, fmt, join } from '../format/rich-text.ts';
import { failureInWords } from './failures.ts';

/** SSH keys and passwords. */

export const privateKeySent = fmt`⚠️ That is a private key. It stays on your machine: whoever has it gets in wherever it opens. I delete your message where Telegram lets me; look yourself, and if anybody else could read it here, make a new key.\nWhat I need is the public half, one line from the file that ends in ${code('.pub')}: ${code('/ssh_key ssh-ed25519 AAAA… you@laptop')}`;

type KeyInWords = { type: string; bits: number; fingerprint: string; comment: string };

export const keyKind = ({ type, bits }: Pick<KeyInWords, 'type' | 'bits'>): string => {
  if (type === 'ssh-rsa') return `RSA ${bits}`;
  if (type.startsWith('ecdsa')) return `ECDSA ${bits}`;
  return type.startsWith('sk-') ? (type.includes('ed25519') ? 'Ed25519-SK' : 'ECDSA-SK') : 'Ed25519';
};

export const keyInWords = (key: KeyInWords): FmtString =>
  fmt`${bold(key.comment === '' ? 'without a name' : key.comment)} · ${keyKind(key)}\n${code(key.fingerprint)}`;

export const keyList = (keys: readonly KeyInWords[]): FmtString =>
  keys.length === 0
    ? fmt`You have no SSH key here yet. Send the public one, a line from a file that ends in ${code('.pub')}:\n${code('/ssh_key ssh-ed25519 AAAA… you@laptop')}\nIt then opens all your VMs. ${code('ssh-keygen -t ed25519')} makes a pair.`
    : join([fmt`🔑 These keys open your VMs:`, ...keys.map(keyInWords)], '\n');

/** How far a change of the keys has got in the VMs that run. */
export type KeyUpdate = {
  name: string;
  /** The operation's; `comes-up` and `at-start` before there is one, `gone` where the VM is. */
  status: string;
  reasonCode: string | null;
  reasonDetail: string | null;
};

const updateInWords = ({ name, status, reasonCode, reasonDetail }: KeyUpdate): FmtString => {
  switch (status) {
    case 'open':
      return fmt`⏳ ${bold(name)}: on its way`;
    case 'succeeded':
      return fmt`✅ ${bold(name)}: in force`;
    case 'failed':
      return reasonCode === 'vm-not-running'
        ? fmt`⏹ ${bold(name)} stopped meanwhile: in force from its next start`
        : fmt`❌ ${bold(name)}: ${failureInWords(reasonCode, reasonDetail).what} In force after /restart.`;
    case 'comes-up':
      return fmt`⏳ ${bold(name)}: as soon as it is up`;
    case 'at-start':
      return fmt`⏹ ${bold(name)}: in force from its next start`;
    case 'gone':
      return fmt`🗑 ${bold(name)}: gone meanwhile`;
    default:
      return fmt`❌ ${bold(name)}: not in force yet; /restart puts it in place.`;
  }
};

export const keysChanged = (
  change: 'added' | 'removed',
  key: KeyInWords,
  updates: readonly KeyUpdate[],
): FmtString =>
  join(
    [
      change === 'added' ? fmt`🔑 Added: ${keyInWords(key)}` : fmt`🗑 Removed: ${keyInWords(key)}`,
      ...updates.map(updateInWords),
      updates.length === 0
        ? change === 'added'
          ? fmt`It opens every VM of yours from its next start on.`
          : fmt`From their next start on it opens none of your VMs.`
        : fmt`For VMs that do not run it holds from their next start on.`,
    ],
    '\n',
  );

export const sshKeyKnown = fmt`That key opens your VMs already. ${code('/ssh_key')} lists them all.`;
export const tooManySshKeys = (most: number): FmtString =>
  fmt`You have ${most} keys here, and more are not kept. ${code('/ssh_key')} lists them, each with a button to remove it.`;
export const sshKeyGone = 'That key is not there any more.';

/** What is wrong with what somebody sent as a key. */
export const keyProblems = {
  private: 'that is a private key; send the public one, from the file that ends in .pub',
  several: 'that is more than one line; send one key at a time',
  options:
    'there is something before the key; send the key alone, beginning with its type, such as ssh-ed25519',
  type: 'keys of this type are not taken; use ed25519, rsa, ecdsa or one of a security key (sk-ssh-ed25519, sk-ecdsa)',
  malformed: 'that is no complete public key; copy the whole line from the file that ends in .pub',
  weak: 'an RSA key must have 2,048 bits at least; ssh-keygen -t ed25519 makes a better one',
} as const;

export const passwordPending = (name: string): FmtString => fmt`⏳ Giving ${bold(name)} a new password…`;
export const passwordChanged = (name: string, running: boolean, access: FmtString): FmtString =>
  running
    ? fmt`🔑 ${bold(name)} has a new password; the old one no longer works.\n${access}`
    : fmt`🔑 ${bold(name)} has a new password; it holds from its next start on.\n${access}`;
export const passwordOvertaken = (name: string): FmtString =>
  fmt`✖️ ${bold(name)} got no new password: it was destroyed first.`;
export const passwordFailed = (
  name: string,
  {
    reasonCode,
    reasonDetail,
    reference,
  }: { reasonCode: string | null; reasonDetail: string | null; reference: FmtString },
): FmtString =>
  fmt`❌ ${bold(name)} did not get a new password. ${failureInWords(reasonCode, reasonDetail).what}\nThe old one may still hold. Send /password again to be sure.${reference}`;
