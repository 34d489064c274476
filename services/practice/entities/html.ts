import { badRequest, type Refusal } from '../refusal.ts';
import { type Entity, endOf, type FormattedText, sorted } from './types.ts';

/**
 * Telegram's HTML is a language of its own: a handful of tags, four named characters, and no forgiveness for
 * an unclosed tag. An HTML library would repair what Telegram refuses, so the rules are followed here one by
 * one, down to the wording of the refusals (offsets in bytes of the UTF-8 text).
 */

const entityOfTag: Record<string, string> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  'tg-spoiler': 'spoiler',
  span: 'spoiler',
  'tg-emoji': 'custom_emoji',
  a: 'text_link',
  code: 'code',
  pre: 'pre',
  blockquote: 'blockquote',
};

const namedCharacters: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' };
const character = /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]+));?/iy;

type OpenTag = { name: string; argument: string; offset: number };

const decodeAt = (html: string, at: number): { text: string; end: number } | undefined => {
  character.lastIndex = at;
  const match = character.exec(html);
  if (!match) return undefined;
  const [whole, hex, decimal, name] = match;
  if (name !== undefined) {
    const text = Object.hasOwn(namedCharacters, name) ? namedCharacters[name] : undefined;
    return text === undefined ? undefined : { text, end: at + whole.length };
  }
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  if (code === 0 || code >= 0x10ffff) return undefined;
  return { text: String.fromCodePoint(code), end: at + whole.length };
};

const decode = (value: string): string => {
  let text = '';
  for (let at = 0; at < value.length; ) {
    const decoded = value[at] === '&' ? decodeAt(value, at) : undefined;
    text += decoded?.text ?? value[at];
    at = decoded?.end ?? at + 1;
  }
  return text;
};

/** Reads the tag that begins at `at` (a `<`); `end` is behind its `>`. */
const readStartTag = (html: string, at: number, fail: (reason: string) => Refusal) => {
  const name = (/^[^\s>]*/.exec(html.slice(at + 1))?.[0] ?? '').toLowerCase();
  let i = at + 1 + name.length;
  if (i >= html.length) throw fail('Unclosed start tag');
  if (!Object.hasOwn(entityOfTag, name)) throw fail(`Unsupported start tag "${name}"`);
  let argument = '';
  const skipSpace = () => {
    while (i < html.length && /\s/.test(html[i]!)) i++;
  };
  for (skipSpace(); html[i] !== '>'; skipSpace()) {
    const attribute = /^[^\s=>]*/.exec(html.slice(i))?.[0] ?? '';
    if (i >= html.length) throw fail('Unclosed start tag');
    if (attribute === '') throw fail(`Empty attribute name in the tag "${name}"`);
    i += attribute.length;
    skipSpace();
    if (name === 'blockquote' && attribute === 'expandable' && html[i] !== '=') {
      argument = 'expandable';
      continue;
    }
    if (html[i] !== '=')
      throw fail(`Expected equal sign in declaration of an attribute of the tag "${name}"`);
    i++;
    skipSpace();
    const quoted = /^(?:"([^"]*)"|'([^']*)')/.exec(html.slice(i));
    const bare = quoted ? null : /^[a-z0-9.-]*(?=[\s>])/i.exec(html.slice(i));
    if (!quoted && /^["']/.test(html.slice(i))) throw fail('Unclosed start tag');
    if (!quoted && !bare) throw fail('Unexpected end of name token');
    const value = quoted ? decode(quoted[1] ?? quoted[2] ?? '') : (bare?.[0] ?? '').toLowerCase();
    i += (quoted ?? bare)![0].length;
    if (name === 'a' && attribute === 'href') argument = value;
    if (name === 'code' && attribute === 'class' && value.startsWith('language-')) argument = value.slice(9);
    if (name === 'span' && attribute === 'class' && value.startsWith('tg-')) argument = value.slice(3);
    if (name === 'tg-emoji' && attribute === 'emoji-id') argument = value;
  }
  if (name === 'span' && argument !== 'spoiler') throw fail('Tag "span" must have class "tg-spoiler"');
  return { name, argument, end: i + 1 };
};

const entityFor = ({ name, argument, offset }: OpenTag, text: string): Entity => {
  const base = { type: entityOfTag[name]!, offset, length: text.length - offset };
  if (name === 'a') return { ...base, url: argument || text.slice(offset) };
  if (name === 'tg-emoji') return { ...base, custom_emoji_id: argument };
  if (name === 'code' && argument) return { ...base, language: argument };
  if (name === 'blockquote' && argument) return { ...base, type: 'expandable_blockquote' };
  return base;
};

/** `<pre><code class="language-x">` is one block with a language; a language on code alone means nothing. */
const joinCodeInPre = (entities: Entity[]): Entity[] => {
  const joined = entities.flatMap((entity) => {
    const over = (type: string) =>
      entities.find((e) => e.type === type && e.offset === entity.offset && endOf(e) === endOf(entity));
    if (entity.type === 'pre') return [{ ...entity, language: over('code')?.language }];
    return entity.type === 'code' && over('pre') ? [] : [entity];
  });
  return joined.map(({ language, ...entity }) =>
    language && entity.type === 'pre' ? { ...entity, language } : entity,
  );
};

/** Text and entities of a message written with `parse_mode: "HTML"`. Throws the server's refusals. */
export const parseHtml = (html: string): FormattedText => {
  let text = '';
  const entities: Entity[] = [];
  const open: OpenTag[] = [];
  for (let i = 0; i < html.length; ) {
    const decoded = html[i] === '&' ? decodeAt(html, i) : undefined;
    if (decoded || html[i] !== '<') {
      text += decoded?.text ?? html[i];
      i = decoded?.end ?? i + 1;
      continue;
    }
    const at = i;
    const place = `at byte offset ${Buffer.byteLength(html.slice(0, at))}`;
    const fail = (reason: string) => badRequest(`can't parse entities: ${reason} ${place}`);
    if (html[i + 1] !== '/') {
      const { name, argument, end } = readStartTag(html, at, fail);
      open.push({ name, argument, offset: text.length });
      i = end;
      continue;
    }
    const last = open.pop();
    if (!last) throw fail('Unexpected end tag');
    const close = /^<\/([^\s>]*)\s*(>?)/.exec(html.slice(at))!;
    const name = close[1]!.toLowerCase();
    if (!close[2]) throw fail('Unclosed end tag');
    if (name !== '' && name !== last.name) {
      throw badRequest(
        `can't parse entities: Unmatched end tag ${place}, expected "</${last.name}>", found "</${name}>"`,
      );
    }
    if (text.length > last.offset) entities.push(entityFor(last, text));
    i = at + close[0].length;
  }
  const unclosed = open.at(-1);
  if (unclosed) {
    throw badRequest(
      `can't parse entities: Can't find end tag corresponding to start tag "${unclosed.name}"`,
    );
  }
  return { text, entities: sorted(joinCodeInPre(entities)) };
};
