import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { longestText } from '../format/rich-text.ts';
import { longestLabel } from './buttons.ts';
import { catalogue, noSentences, type Sample, samples } from './testing/samples.ts';

/** Every sentence at its longest, and every button. */

/** What Telegram takes, in UTF-16 units. */
const limits = { message: longestText, caption: 1_024, toast: 200 } as const;
const longestCallback = 64;

/** Longer than a message on purpose: sent cut, with an ellipsis. */
const whole = samples.filter(({ text }) => text.text.length > 0);
const nameOf = ({ file, name, text }: Sample) => `${file} ${name}: ${text.text.slice(0, 60)}`;
const found = (wrong: (sample: Sample) => boolean, among = samples) => among.filter(wrong).map(nameOf);
const buttonsOf = ({ buttons }: Sample) =>
  buttons.flatMap((row) => row.map((button) => ({ button, alone: row.length === 1 })));

describe('the catalogue', () => {
  it('has every file, and of every export a sample', async () => {
    const files = (await readdir(import.meta.dirname)).filter(
      (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
    );
    expect(Object.keys(catalogue).sort()).toEqual(files.sort());
    for (const [file, { module, samples: ofFile }] of Object.entries(catalogue)) {
      const exported = Object.keys(module).filter((name) => !noSentences.includes(name));
      const sampled = Object.keys(ofFile).filter((name) => ofFile[name]!.length > 0);
      expect(sampled.sort(), file).toEqual(exported.sort());
    }
    expect(samples.length).toBeGreaterThan(500);
  });
});

describe('every sentence', () => {
  it('fits, with whatever is put in', () => {
    expect(found(({ as, text }) => text.text.length > limits[as])).toEqual([]);
  });

  it('says something, and shows no value that is missing', () => {
    expect(found(({ text }) => text.text.trim() === '')).toEqual([]);
    expect(found(({ text }) => /undefined|\bnull\b|NaN|Infinity|\[object/.test(text.text))).toEqual([]);
  });

  it('has its entities within the text, each with something in it', () => {
    const outside = ({ text: { text, entities = [] } }: Sample) =>
      entities.some(({ offset, length }) => length < 1 || offset < 0 || offset + length > text.length);
    expect(found(outside)).toEqual([]);
  });

  it('is written with straight apostrophes, single spaces and no mark twice', () => {
    const ours = whole.filter(({ name }) => name !== 'outputCaption');
    expect(found(({ text }) => /[‘’“”]/.test(text.text), ours)).toEqual([]);
    expect(found(({ text }) => /[^ ] {2,}[^ ]/.test(text.text.replace(/^[✅❌].*$/gm, '')), ours)).toEqual(
      [],
    );
    expect(
      found(({ text }) => /(?<!\.)\.\.(?!\.)|\.:|,\.|: \.|:\.|\n{3}| \n|[ \n]$/.test(text.text), ours),
    ).toEqual([]);
  });

  it('never speaks of something that went wrong without saying what', () => {
    expect(
      found(({ text }) => /something went wrong|unexpected|internal error|exception/i.test(text.text)),
    ).toEqual([]);
  });
});

describe('every button', () => {
  it('has a label that a phone does not cut', () => {
    const cut = (sample: Sample) =>
      buttonsOf(sample).some(
        ({ button, alone }) => [...button.text].length > longestLabel[alone ? 'alone' : 'beside'],
      );
    expect(found(cut)).toEqual([]);
  });

  it('carries 1–64 bytes, also for the longest ids, or leads to a page', () => {
    const tooMuch = (sample: Sample) =>
      buttonsOf(sample).some(({ button }) => {
        if (!('data' in button)) return !button.url.startsWith('https://');
        const bytes = Buffer.byteLength(button.data);
        return bytes < 1 || bytes > longestCallback;
      });
    expect(found(tooMuch)).toEqual([]);
  });

  it('is in a row of at most two', () => {
    expect(found(({ buttons }) => buttons.some((row) => row.length > 2))).toEqual([]);
  });
});
