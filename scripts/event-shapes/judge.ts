import type { ReadShapes, Shapes } from './read.ts';

/**
 * Events are kept for ever: every shape in which one was ever written must be readable. What was recorded is compared with
 * what the code says today.
 */

export type Upcasters = Readonly<Record<string, readonly unknown[]>>;

export type Judgement = {
  /** What nobody wrote down yet, and what may be: a new event, a new version, a shape that takes the old ones in. */
  unrecorded: string[];
  /** What makes written events unreadable, and how to mend it. */
  faults: string[];
  /** The record with everything that may be written down. */
  next: Shapes;
};

const versionOf = (key: string): { type: string; version: number } => {
  const [type = '', version = ''] = key.split(' ');
  return { type, version: Number(version) };
};

const upcaster = (type: string, version: number): string =>
  `add to services/bot/store/upcasters.ts a step for ${type} that turns version ${version} into version ${version + 1}`;

export const judge = (recorded: Shapes, { current, fits }: ReadShapes, upcasters: Upcasters): Judgement => {
  const next: Shapes = structuredClone(recorded);
  const unrecorded: string[] = [];
  const faults: string[] = [];
  for (const [type, shape] of Object.entries(current)) {
    const version = (upcasters[type]?.length ?? 0) + 1;
    const key = `${type} ${version}`;
    const known = recorded[key] ?? [];
    for (let earlier = 1; earlier < version; earlier += 1) {
      if (recorded[`${type} ${earlier}`] === undefined)
        faults.push(`${type} ${earlier} was never recorded, yet there is an upcaster for it`);
    }
    if (known.at(-1) === shape) continue;
    const misfit = known.find((one) => !fits(type, one));
    if (misfit === undefined) {
      unrecorded.push(key);
      next[key] = [...known.filter((one) => one !== shape), shape];
    } else {
      faults.push(
        `${type} has another shape than it was written in, and no longer reads it: ${upcaster(type, version)}, or make what is new optional.\n  written: ${misfit}\n  today:   ${shape}`,
      );
    }
  }
  for (const key of Object.keys(recorded)) {
    const { type, version } = versionOf(key);
    if (current[type] === undefined)
      faults.push(`${key} was written, and nothing reads it any more: keep its type among DomainEvent`);
    else if (version > (upcasters[type]?.length ?? 0) + 1)
      faults.push(`${key} was written, and ${type} has fewer upcasters now: put the missing one back`);
  }
  return { unrecorded, faults, next };
};
