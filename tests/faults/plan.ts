import type { KnownPoint, Role } from './known-points.ts';
import { isPoint } from './known-points.ts';
import { createRandom } from './random.ts';

/**
 * What shall go wrong in one process of a run.
 *
 * strike — one thing at one failpoint: the process dies (`kill`) or stands still for a while (`stop`), the side effect
 *   fails (`error`), is never answered (`hang`) or is late (`delay`).
 * side — before the side effect, after it, or `during`: it is asked for, and nobody waits for the answer.
 * slot — the place of a process, `worker 1`; its processes follow each other there, each with the slot's next plan.
 */

export type Side = 'before' | 'during' | 'after';
export type Strike = {
  point: string;
  side: Side;
  /** At which time that the process comes by, from 1. */
  hit: number;
  act: 'kill' | 'stop' | 'error' | 'hang' | 'delay';
  /** Milliseconds of `stop` and `delay`. */
  ms: number;
};

export type Planner = { next(): Strike[] };

/** Hands out all of a list in a seeded order, then all of it in another one. */
const createDeck = <T>(list: readonly T[], shuffle: (list: readonly T[]) => T[]): (() => T) => {
  let left: T[] = [];
  return () => {
    if (left.length === 0) left = shuffle(list);
    return left.pop()!;
  };
};

/** How many of each a process gets. Of the deaths only the first to be reached comes true. */
const perProcess = { kill: 2, error: 5, delay: 3 };
/** Every so many processes of a slot one stands still; of every worker, one call is never answered. */
const stopEvery = 3;
/** Milliseconds: a worker's longer than the lock of a job lasts, so that somebody else does it meanwhile. */
const standstill: Record<Role, number> = { bot: 4_000, worker: 21_000 };
/** A bot comes by its failpoints often; it is to do something before it dies. */
const latestHit: Record<Role, number> = { bot: 8, worker: 3 };

const canFail = (point: string, side: Side): boolean => !(point.startsWith('store: ') && side === 'after');

export const createPlanner = (
  seed: number,
  slot: string,
  role: Role,
  known: readonly KnownPoint[],
): Planner => {
  const random = createRandom(seed, `plan of ${slot}`);
  const points = known.filter(({ roles }) => roles.includes(role)).map(({ name }) => name);
  const places = points.flatMap((point) =>
    (['before', 'during', 'after'] as const).map((side) => ({ point, side })),
  );
  const deaths = createDeck(places, random.shuffle);
  const stops = createDeck(
    places.filter(({ side }) => side !== 'during'),
    random.shuffle,
  );
  const errors = createDeck(
    places.filter(({ point, side }) => side !== 'during' && canFail(point, side)),
    random.shuffle,
  );
  const hangs = createDeck(
    places.filter(({ point, side }) => side !== 'during' && point.startsWith('docker: ')),
    random.shuffle,
  );
  let processes = 0;
  const draw = (place: () => { point: string; side: Side }, act: Strike['act'], ms = 0): Strike => ({
    ...place(),
    hit: 1 + random.below(latestHit[role]),
    act,
    ms,
  });
  const several = (count: number, make: () => Strike): Strike[] => Array.from({ length: count }, make);
  return {
    next() {
      processes += 1;
      return [
        ...several(perProcess.kill, () => draw(deaths, 'kill')),
        ...several(perProcess.error, () => draw(errors, 'error')),
        ...several(perProcess.delay, () => draw(stops, 'delay', 100 + random.below(1_400))),
        ...(role === 'worker' ? [draw(hangs, 'hang')] : []),
        ...(processes % stopEvery === 0 ? several(3, () => draw(stops, 'stop', standstill[role])) : []),
      ];
    },
  };
};

export const strikesAt = (
  strikes: readonly Strike[],
  name: string,
  side: Side,
  hit: number,
): Strike | undefined =>
  strikes.find((strike) => strike.side === side && strike.hit === hit && isPoint(strike.point, name));
