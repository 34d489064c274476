import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isBinary, lastCharacters, printable } from './exec-output.ts';

const shown = (text: string) => printable(Buffer.from(text));

describe('printable output', () => {
  it.each([
    ['colours', '\x1b[1;31mred\x1b[0m', 'red'],
    ['cursor movement', 'a\x1b[2K\x1b[1Gb', 'ab'],
    ['titles of a terminal', '\x1b]0;title\x07text', 'text'],
    ['links', '\x1b]8;;https://a.example\x1b\\text\x1b]8;;\x1b\\', 'text'],
    ['bells and other controls', 'a\x07b\x00c\x7f', 'abc'],
  ])('is free of %s', (_what, text, expected) => expect(shown(text)).toBe(expected));

  it('of a line that was written over and over has the last state', () => {
    expect(shown('10%\r50%\r100%\nnext')).toBe('100%\nnext');
    expect(shown('10%\r50%\r')).toBe('50%');
  });

  it("has a terminal's line ends as plain ones", () => expect(shown('a\r\nb\r\n')).toBe('a\nb'));

  it('keeps tabs, umlauts, empty lines and what looks like markup', () =>
    expect(shown('\tä *b* <i>&amp;\n\n`c`\n')).toBe('\tä *b* <i>&amp;\n\n`c`'));

  it('of any bytes at all is text without controls', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(printable(Buffer.from(bytes))).not.toMatch(/[\0-\x08\x0b-\x1f\x7f]/);
      }),
    );
  });

  it('of a megabyte of escapes is ready soon', () => {
    const begun = performance.now();
    for (const piece of ['\x1b[', '\x1b]', '\r', '\x1b[31mx']) shown(piece.repeat(250_000));
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});

describe('binary output', () => {
  it('has a NUL byte, or many bytes that are no UTF-8', () => {
    expect(isBinary(Buffer.from([65, 0, 66]))).toBe(true);
    expect(isBinary(Buffer.alloc(200, 0xff))).toBe(true);
  });

  it('is not text, a character cut in two, or a bit of Latin-1', () => {
    expect(isBinary(Buffer.from('grüße 🚀'))).toBe(false);
    expect(isBinary(Buffer.from('🚀').subarray(1))).toBe(false);
    expect(isBinary(Buffer.from('caf\xe9 '.repeat(3), 'latin1'))).toBe(false);
    expect(isBinary(Buffer.alloc(0))).toBe(false);
  });
});

describe('the last characters', () => {
  it('are the whole text where it fits', () => expect(lastCharacters('abc', 3)).toBe('abc'));
  it('are whole lines', () => expect(lastCharacters('one\ntwo\nthree', 8)).toBe('three'));
  it('are the end of a line that is too long', () => expect(lastCharacters('abcdef', 3)).toBe('def'));

  it('are never more than asked for, always the end, and never half a symbol', () => {
    const text = fc.array(fc.constantFrom('a', '\n', '🚀', 'ü', '\r')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 30 }), (whole, limit) => {
        const last = lastCharacters(whole, limit);
        expect(last.length).toBeLessThanOrEqual(limit);
        expect(whole.endsWith(last)).toBe(true);
        expect(last).toBe(Buffer.from(last).toString());
      }),
    );
  });
});
