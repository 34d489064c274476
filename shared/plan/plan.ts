import { type Decider, IllegalStateError, type Message } from '../decider.ts';
import { GIB } from '../vm/limits.ts';

/** A plan is what a person may have: the limits of each VM, whether they are root in it, how many VMs. Sizes in bytes. */
export type PlanTerms = {
  name: string;
  memoryBytes: number;
  cpus: number;
  diskBytes: number;
  maxVms: number;
  sudo: boolean;
};

export type PlanDefined = Message<'PlanDefined', { planId: string; at: string } & PlanTerms>;
export type PlanChanged = Message<'PlanChanged', { planId: string; at: string; changes: Partial<PlanTerms> }>;
export type PlanEvent = PlanDefined | PlanChanged;

export type DefinePlan = Message<'DefinePlan', PlanDefined['data']>;
export type ChangePlan = Message<'ChangePlan', PlanChanged['data']>;
export type PlanCommand = DefinePlan | ChangePlan;

export type Plan = PlanTerms | null;

export const initialState: Plan = null;

export const evolve = (plan: Plan, { type, data }: PlanEvent): Plan => {
  switch (type) {
    case 'PlanDefined': {
      const { planId: _id, at: _at, ...terms } = data;
      return terms;
    }
    case 'PlanChanged':
      return plan === null ? null : { ...plan, ...data.changes };
  }
};

const reallyChanged = (plan: PlanTerms, changes: Partial<PlanTerms>): Partial<PlanTerms> =>
  Object.fromEntries(
    Object.entries(changes).filter(([field, value]) => plan[field as keyof PlanTerms] !== value),
  );

export const decide = ({ type, data }: PlanCommand, plan: Plan): PlanEvent[] => {
  switch (type) {
    case 'DefinePlan':
      if (plan !== null) throw new IllegalStateError('plan-exists', `plan ${data.planId} exists already`);
      return [{ type: 'PlanDefined', data }];
    case 'ChangePlan': {
      if (plan === null) throw new IllegalStateError('plan-unknown', `there is no plan ${data.planId}`);
      const changes = reallyChanged(plan, data.changes);
      return Object.keys(changes).length === 0 ? [] : [{ type: 'PlanChanged', data: { ...data, changes } }];
    }
  }
};

export const plan: Decider<Plan, PlanCommand, PlanEvent> = { initialState, decide, evolve };

export const planStream = (planId: string): string => `plan-${planId}`;

/** The plans that a new Berth begins with. */
export const firstPlans: Record<string, PlanTerms> = {
  1: { name: 'Basic', memoryBytes: 2 * GIB, cpus: 1, diskBytes: 100 * GIB, maxVms: 1, sudo: true },
  2: { name: 'Standard', memoryBytes: 4 * GIB, cpus: 2, diskBytes: 150 * GIB, maxVms: 1, sudo: true },
  3: { name: 'Pro', memoryBytes: 8 * GIB, cpus: 4, diskBytes: 250 * GIB, maxVms: 1, sudo: true },
  4: { name: 'Enterprise', memoryBytes: 16 * GIB, cpus: 4, diskBytes: 500 * GIB, maxVms: 1, sudo: true },
};
