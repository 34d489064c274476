import type { Upcasters } from '../../../shared/event-store/upcasters.ts';

/** How events written by older versions become the ones of today. None has changed its shape yet. */
export const upcasters: Upcasters = {};
