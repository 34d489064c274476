import { redactText } from '../../../shared/log.ts';

/**
 * What the board may show of a job. Bull Board's own formatters reach data, return value and progress alone: not the
 * reason of a failure, its stack, the log, nor a flow. So every answer of its API passes through here, as a whole.
 *
 * The names are what our jobs call their secrets; the patterns are for what should not be there at all.
 */

const hidden = '‹hidden›';
const secretName =
  /^access$|password|passphrase|secret|token|authorized_?keys|private_?key|credential|cookie/i;
const secretTexts: readonly RegExp[] = [
  // crypt(3)
  /\$(?:1|2[abxy]?|5|6|7|y|gy|argon2\w*)\$[\w./$=,+-]{8,}/g,
  /-----BEGIN [\s\S]*?(?:-----END [^-]*-----|$)/g,
  /\b(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\w+|sk-[\w-]+@openssh\.com) [A-Za-z0-9+/=]{16,}/g,
];

const redactString = (text: string): string =>
  secretTexts.reduce((clean, pattern) => clean.replace(pattern, hidden), redactText(text));

/** A copy in which nothing secret is left, however deep it lay; JSON within a text is looked through too. */
export const redact = (value: unknown): unknown => {
  if (typeof value === 'string') return redactJson(value) ?? redactString(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, secretName.test(name) ? hidden : redact(inner)]),
  );
};

const redactJson = (text: string): string | null => {
  if (!/^\s*[[{]/.test(text)) return null;
  try {
    return JSON.stringify(redact(JSON.parse(text)));
  } catch {
    return null; // it only looks like JSON
  }
};
