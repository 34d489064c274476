import type { Entity } from './types.ts';

/** What Telegram finds in a text by itself: commands, mentions and addresses, clickable without formatting. */
const patterns: [type: string, pattern: RegExp][] = [
  ['url', /\bhttps?:\/\/[^\s<>"'`]*[^\s<>"'`.,:;!?)\]}]/gi],
  ['email', /\b[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b/gi],
  ['bot_command', /(?<![\w/@<>])\/[a-z0-9_]{1,32}(?:@[a-z0-9_]{3,32})?(?![\w/])/gi],
  ['mention', /(?<![\w@/.])@[a-z][a-z0-9_]{2,31}\b/gi],
];

/** Entities that do not touch one another, in the order of the text. */
export const detectEntities = (text: string): Entity[] => {
  const found: Entity[] = [];
  for (const [type, pattern] of patterns) {
    for (const { index, 0: match } of text.matchAll(pattern)) {
      const free = found.every((e) => e.offset + e.length <= index || index + match.length <= e.offset);
      if (free) found.push({ type, offset: index, length: match.length });
    }
  }
  return found.sort((a, b) => a.offset - b.offset);
};
