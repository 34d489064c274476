import { describe, expect, it } from 'vitest';
import { specificationFor } from '../specification.ts';
import { firstPlans, type PlanEvent, plan } from './plan.ts';

const given = specificationFor(plan);
const at = '2026-01-01T00:00:00.000Z';
const planId = '1';
const terms = { name: 'Basic', memoryBytes: 2_000, cpus: 1, diskBytes: 100_000, maxVms: 1, sudo: true };
const defined: PlanEvent = { type: 'PlanDefined', data: { planId, at, ...terms } };

describe('a plan', () => {
  it('is defined', () =>
    given([])
      .when({ type: 'DefinePlan', data: { planId, at, ...terms } })
      .then([defined]));

  it('is defined only once', () =>
    given([defined])
      .when({ type: 'DefinePlan', data: { planId, at, ...terms } })
      .thenThrows('plan-exists'));

  it('changes in what differs, and only that is written down', () =>
    given([defined])
      .when({ type: 'ChangePlan', data: { planId, at, changes: { memoryBytes: 4_000, cpus: 1 } } })
      .then([{ type: 'PlanChanged', data: { planId, at, changes: { memoryBytes: 4_000 } } }]));

  it('does not change by what it has already', () =>
    given([defined, { type: 'PlanChanged', data: { planId, at, changes: { maxVms: 3 } } }])
      .when({ type: 'ChangePlan', data: { planId, at, changes: { ...terms, maxVms: 3 } } })
      .then([]));

  it('cannot change before it is defined', () =>
    given([])
      .when({ type: 'ChangePlan', data: { planId, at, changes: { cpus: 2 } } })
      .thenThrows('plan-unknown'));

  it('keeps its terms without the id and the time', () =>
    expect([defined].reduce(plan.evolve, plan.initialState)).toEqual(terms));
});

it('there are four plans to begin with, each larger than the one before', () => {
  expect(Object.values(firstPlans).map(({ name }) => name)).toEqual([
    'Basic',
    'Standard',
    'Pro',
    'Enterprise',
  ]);
  const memory = Object.values(firstPlans).map(({ memoryBytes }) => memoryBytes);
  expect(memory).toEqual([...memory].sort((a, b) => a - b));
});
