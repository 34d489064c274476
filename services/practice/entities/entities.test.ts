import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../refusal.ts';
import { fixFormattedText } from './fix.ts';
import { parseHtml } from './html.ts';
import { type Entity, endOf, entityTypes, isSplittable, isVerbatim } from './types.ts';

const units = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '😀', 'é', '/', '@', '.', '\r', '\u0007') });
const entity: fc.Arbitrary<Entity> = fc.record({
  type: fc.constantFrom(...entityTypes),
  offset: fc.integer({ min: 0, max: 12 }),
  length: fc.integer({ min: 0, max: 12 }),
});

/** Refusals are answers; anything else is a fault of ours. */
const orRefusal = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
};

describe('a text as the server keeps it', () => {
  it('has entities within its bounds, none over code but quotations', () => {
    fc.assert(
      fc.property(units, fc.array(entity, { maxLength: 6 }), (text, entities) => {
        const fixed = orRefusal(() => fixFormattedText(text, entities));
        if (!fixed) return;
        expect(fixed.text).toBe(fixed.text.trimEnd());
        for (const e of fixed.entities) {
          expect(e.length).toBeGreaterThan(0);
          expect(endOf(e)).toBeLessThanOrEqual(fixed.text.length);
          const overCode = fixed.entities.some(
            (other) => isVerbatim(other) && other.offset < endOf(e) && e.offset < endOf(other),
          );
          if (isSplittable(e)) expect(overCode).toBe(false);
        }
      }),
    );
  });

  it('loses control characters and blanks at its ends, and its entities move along', () => {
    const fixed = fixFormattedText('  \r\nab\tc \n', [{ type: 'bold', offset: 4, length: 4 }]);
    expect(fixed).toEqual({ text: 'ab c', entities: [{ type: 'bold', offset: 0, length: 4 }] });
  });
});

describe('HTML', () => {
  const pieces = [
    '<b>',
    '</b>',
    '<i',
    '>',
    '</',
    '<a href="',
    '"',
    "'",
    '&lt;',
    '&#x41;',
    '&',
    ' ',
    'x',
    '=',
    '<code>',
  ];

  it('is read or refused, whatever it is', () => {
    const html = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((list) => list.join(''));
    fc.assert(
      fc.property(html, (text) => {
        const parsed = orRefusal(() => parseHtml(text));
        for (const e of parsed?.entities ?? []) expect(endOf(e)).toBeLessThanOrEqual(parsed!.text.length);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['&lt;&gt;&amp;&quot;&#33;&#x1F600;', '<>&"!😀'],
    ['&nbsp; &unknown; a&b', '&nbsp; &unknown; a&b'],
    ['<b></b>x', 'x'],
    ['<span class="tg-spoiler">x</span>', 'x'],
    ['<B>x</B >', 'x'],
  ])('%s reads %s', (html, text) => {
    expect(parseHtml(html).text).toBe(text);
  });

  it.each([
    ['<b', 'Unclosed start tag at byte offset 0'],
    ['<a href>x</a>', 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0'],
    ['<span class="x">x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
    ['a < b', 'Unsupported start tag "" at byte offset 2'],
    ['<b>x</b', 'Unclosed end tag at byte offset 4'],
  ])('%s is refused', (html, reason) => {
    expect(() => parseHtml(html)).toThrow(`Bad Request: can't parse entities: ${reason}`);
  });
});
