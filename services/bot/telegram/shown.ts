import { createHash } from 'node:crypto';
import type { Content } from '../format/rich-text.ts';

/**
 * What each message shows, as far as this process knows, by a fingerprint: what is there already needs no call.
 * A message that it does not know is merely edited once for nothing.
 */

const kept = 5_000;

const fingerprint = ({ text, entities, buttons }: Content): string =>
  createHash('sha1')
    .update(JSON.stringify([text, entities, buttons]))
    .digest('base64');

export const createShown = () => {
  const prints = new Map<string, string>();
  return {
    matches: (key: string, content: Content): boolean => prints.get(key) === fingerprint(content),
    remember(key: string, content: Content): void {
      prints.delete(key);
      prints.set(key, fingerprint(content));
      if (prints.size > kept) prints.delete(prints.keys().next().value!);
    },
    /** From here on it is not known: a call is on its way. */
    forget: (key: string): void => {
      prints.delete(key);
    },
  };
};
