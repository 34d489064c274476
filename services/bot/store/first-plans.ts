import { firstPlans, plan, planStream } from '../../../shared/plan/plan.ts';
import type { Store } from './store.ts';

/** A new Berth begins with these plans; from then on they are the administrators'. */
export const defineFirstPlans = async (store: Store, now: Date): Promise<void> => {
  const anyEvent = await store.db.selectFrom('events').select('position').limit(1).executeTakeFirst();
  if (anyEvent !== undefined) return;
  const metadata = { actor: null, chat: null, correlationId: 'first-start', causationId: null };
  await store.transaction(async (trx) => {
    for (const [planId, terms] of Object.entries(firstPlans)) {
      const data = { planId, at: now.toISOString(), ...terms };
      await store.handle(trx, plan, planStream(planId), { type: 'DefinePlan', data }, metadata);
    }
  });
};
