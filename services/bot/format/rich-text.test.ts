import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockquote, bold, code, fmt, hidden, join, longestText, plain, pre, truncate } from './rich-text.ts';

const part = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => bold(text)),
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => code(text)),
  fc.constantFrom(fmt`🚀`, fmt`plain`, pre('')('🚀\n🚀'), fmt``),
  fc.string({ maxLength: 20 }).map((text) => blockquote(fmt`a ${bold(text)} ${hidden('🔑x')}`)),
);
const text = fc.array(part, { maxLength: 12 }).map((parts) => join(parts, ' '));

describe('a text cut to a limit', () => {
  it('fits, begins as the whole one, cuts no symbol, and no entity leaves it', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 60 }), (whole, limit) => {
        const cut = truncate(whole, limit);
        expect(cut.text.length).toBeLessThanOrEqual(limit);
        expect(cut.text).toBe(Buffer.from(cut.text).toString());
        if (whole.text.length <= limit) expect(cut).toBe(whole);
        else expect(cut.text.endsWith('…')).toBe(true);
        expect(whole.text.startsWith(cut.text.replace(/…$/, ''))).toBe(true);
        for (const { offset, length } of cut.entities ?? []) {
          expect(length).toBeGreaterThanOrEqual(0);
          expect(offset + length).toBeLessThanOrEqual(cut.text.length);
        }
      }),
    );
  });
});

describe('a message', () => {
  it('is at most as long as Telegram takes, whatever is put in', () => {
    const content = plain(fmt`${bold('x'.repeat(5_000))} end`);
    expect(content.text).toHaveLength(longestText);
    expect(content.entities).toEqual([{ type: 'bold', offset: 0, length: longestText - 1 }]);
  });

  it('has no empty rows of buttons', () => {
    const button = { text: 'Help', data: 'help' };
    expect(plain(fmt`a`, [[], [button], []]).buttons).toEqual([[button]]);
    expect(plain(fmt`a`)).toEqual({ text: 'a', entities: [], buttons: [] });
  });

  it('shows what looks like markup as it is', () => {
    expect(plain(fmt`${code('<b>*x*</b> &amp; `y`')}`)).toMatchObject({ text: '<b>*x*</b> &amp; `y`' });
  });
});

it('a quote keeps what stands in it, and a hidden text is a code entity to copy', () => {
  const { text: shown, entities } = blockquote(fmt`User ${bold('dev')}\n${hidden('pw')}`);
  expect(shown).toBe('User dev\npw');
  expect(entities).toEqual([
    { type: 'expandable_blockquote', offset: 0, length: 11 },
    { type: 'bold', offset: 5, length: 3 },
    { type: 'spoiler', offset: 9, length: 2 },
    { type: 'code', offset: 9, length: 2 },
  ]);
});
