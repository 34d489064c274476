import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judge, type Upcasters } from './judge.ts';
import { readShapes, type Shapes } from './read.ts';

/** Changes of an event, as somebody might make them in a project of one event. */

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-shapes-'));
  mkdirSync(join(root, 'node_modules'));
  mkdirSync(join(root, 'services/bot/store'), { recursive: true });
  const compilerOptions = {
    module: 'nodenext',
    strict: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  };
  writeFileSync(join(root, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const look = (data: string, recorded: Shapes, upcasters: Upcasters = {}, type = 'LampLit') => {
  const text = `type Colour = 'red' | 'green';\nexport type DomainEvent = { type: '${type}'; data: ${data} } | { type: 'LampBroken'; data: { at: string } };\n`;
  writeFileSync(join(root, 'services/bot/store/domain-event.ts'), text);
  return readShapes(root, recorded, (shapes) => judge(recorded, shapes, upcasters));
};

const lit = '{ at: string; colour: "green" | "red" }';
const recorded: Shapes = { 'LampBroken 1': ['{ at: string }'], 'LampLit 1': [lit] };

describe('an event', () => {
  it('that nobody recorded is written down with all that is behind its names', () => {
    const { unrecorded, faults, next } = look('Readonly<{ at: string; colour: Colour }>', {});
    expect({ unrecorded, faults }).toEqual({ unrecorded: ['LampLit 1', 'LampBroken 1'], faults: [] });
    expect(next).toEqual(recorded);
  });

  it('that stays as it is gives no work', () => {
    expect(look('{ colour: Colour; at: string }', recorded)).toMatchObject({ unrecorded: [], faults: [] });
  });

  it.each([
    ['gets an optional field', '{ at: string; colour: Colour; watts?: number }'],
    ['loses a field', '{ at: string }'],
    ['may have one colour more', "{ at: string; colour: Colour | 'blue' }"],
  ])('that %s is written down beside its older shape', (_what, data) => {
    const { unrecorded, faults, next } = look(data, recorded);
    expect({ unrecorded, faults }).toEqual({ unrecorded: ['LampLit 1'], faults: [] });
    expect(next['LampLit 1']).toHaveLength(2);
    expect(next['LampLit 1']![0]).toBe(lit);
  });

  it.each([
    ['gets a field that it must have', '{ at: string; colour: Colour; watts: number }'],
    ['has a field under another name', '{ at: string; hue: Colour }'],
    ['may no longer be red', "{ at: string; colour: 'green' }"],
    ['has a field of another kind', '{ at: number; colour: Colour }'],
  ])('that %s needs an upcaster, and it is said where', (_what, data) => {
    const { faults, next } = look(data, recorded);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain('add to services/bot/store/upcasters.ts a step for LampLit');
    expect(next).toEqual(recorded);
  });

  it('that has an upcaster is written down under its new version, and its old one stays', () => {
    const { unrecorded, faults, next } = look('{ at: string; hue: Colour }', recorded, { LampLit: [1] });
    expect({ unrecorded, faults }).toEqual({ unrecorded: ['LampLit 2'], faults: [] });
    expect(next['LampLit 1']).toEqual([lit]);
  });

  it('that loses its upcaster, or is no event any more, is missed', () => {
    const newer: Shapes = { ...recorded, 'LampLit 2': ['{ at: string; hue: "green" | "red" }'] };
    expect(look('{ at: string; colour: Colour }', newer).faults).toEqual([
      'LampLit 2 was written, and LampLit has fewer upcasters now: put the missing one back',
    ]);
    expect(look('{ at: string; colour: Colour }', recorded, {}, 'LampOn').faults).toEqual([
      'LampLit 1 was written, and nothing reads it any more: keep its type among DomainEvent',
    ]);
  });
});
