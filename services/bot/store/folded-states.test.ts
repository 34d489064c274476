import { expect, it } from 'vitest';
import { plan } from '../../../shared/plan/plan.ts';
import { settings } from '../../../shared/settings/settings.ts';
import { createFoldedStates, type Fresh } from './folded-states.ts';

const cpus = (number: number) => ({ ...settings.initialState, cpus: number });
const fresh = (streams: Record<string, number>): Fresh =>
  new Map(
    Object.entries(streams).map(([stream, version]) => [
      stream,
      { decider: settings, version, state: cpus(version) },
    ]),
  );

it('a stream that nobody has written to stands at its beginning', () => {
  expect(createFoldedStates().of(settings, 'a')).toEqual({ version: 0, state: settings.initialState });
});

it('a stream stands where it was last remembered', () => {
  const states = createFoldedStates();
  states.remember(fresh({ a: 1, b: 1 }));
  states.remember(fresh({ a: 5 }));
  expect(states.of(settings, 'a')).toMatchObject({ version: 5, state: cpus(5) });
  expect(states.of(settings, 'b')).toMatchObject({ version: 1 });
});

it('a state is nothing to another decider', () => {
  const states = createFoldedStates();
  states.remember(fresh({ a: 1 }));
  expect(states.of(plan, 'a')).toEqual({ version: 0, state: null });
});

it('of very many streams those go first that were not written to for longest', () => {
  const states = createFoldedStates();
  states.remember(fresh({ early: 1, kept: 1 }));
  for (let number = 0; number < 1_998; number += 1) states.remember(fresh({ [`s${number}`]: 1 }));
  states.remember(fresh({ kept: 2 }));
  states.remember(fresh({ one: 1 }));
  expect(states.of(settings, 'early')).toMatchObject({ version: 0 });
  expect(states.of(settings, 'kept')).toMatchObject({ version: 2 });
  expect(states.of(settings, 's0')).toMatchObject({ version: 1 });
});
