import { describe, expect, it } from 'vitest';
import { createFrameReader } from '../docker/output-frames.ts';
import { createExecOutput, keptBytes } from './exec-output.ts';

const frame = (stream: 1 | 2, payload: Buffer): Buffer => {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
};

describe('the output of a command', () => {
  it('is read from Docker’s frames in order, however they are cut into pieces', () => {
    const sent = Buffer.concat([
      frame(1, Buffer.from('one ')),
      frame(2, Buffer.from('two ')),
      frame(1, Buffer.alloc(0)),
      frame(1, Buffer.from('three')),
    ]);
    for (let size = 1; size <= sent.length; size++) {
      const seen: string[] = [];
      const read = createFrameReader((piece, stream) => seen.push(`${stream}:${piece}`));
      for (let at = 0; at < sent.length; at += size) read(sent.subarray(at, at + size));
      expect(seen.map((entry) => entry.replace(/^std(out|err):/, '')).join('')).toBe('one two three');
      expect(seen.filter((entry) => entry.startsWith('stderr')).join('')).toMatch(/t/);
    }
  });

  it('is kept up to one MiB and counted beyond', () => {
    const output = createExecOutput();
    for (let i = 0; i < 20; i++) output.add(Buffer.alloc(100_000, i));
    expect(output.kept().length).toBe(keptBytes);
    expect(output.kept()[keptBytes - 1]).toBe(10);
    expect(output.total()).toBe(2_000_000);
  });

  it('shows its end without halves of characters', () => {
    const output = createExecOutput();
    const text = '🐳ä'.repeat(10_000);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length - 1; at += 999) {
      output.add(bytes.subarray(at, Math.min(at + 999, bytes.length - 1)));
    }
    const tail = output.tail();
    expect(tail).not.toContain('\uFFFD');
    expect(tail.isWellFormed()).toBe(true);
    expect(text).toContain(tail);
    expect(tail.endsWith('🐳')).toBe(true);
    expect(tail.length).toBeGreaterThan(3_490);
    expect(tail.length).toBeLessThanOrEqual(3_500);
  });

  it('is empty when nothing was printed', () => {
    expect(createExecOutput().tail()).toBe('');
    expect(createExecOutput().kept().length).toBe(0);
  });
});
