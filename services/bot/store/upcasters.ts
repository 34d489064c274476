import type { Upcasters } from '../../../shared/event-store/upcasters.ts';

/** How events written by older versions become the ones of today. */
export const upcasters: Upcasters = {
  // Before there was a choice everybody was root in their VM.
  PlanDefined: [({ type, data }) => ({ type, data: { ...data, sudo: true } })],
  VmRequested: [
    ({ type, data }) => ({ type, data: { ...data, limits: { ...(data.limits as object), sudo: true } } }),
  ],
};
