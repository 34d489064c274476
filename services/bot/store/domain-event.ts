import type { PlanEvent } from '../../../shared/plan/plan.ts';
import type { SettingsEvent } from '../../../shared/settings/settings.ts';
import type { UserEvent } from '../../../shared/user/user.ts';
import type { VmEvent } from '../../../shared/vm/events.ts';

/** Every event there is. */
export type DomainEvent = VmEvent | UserEvent | PlanEvent | SettingsEvent;
