import type { Event } from '../../../shared/event-store/schema.ts';
import { type ImageEvent, imageStream } from '../../../shared/image/image.ts';
import { type LinkEvent, linkStream } from '../../../shared/link/link.ts';
import type { PlanEvent } from '../../../shared/plan/plan.ts';
import type { SettingsEvent } from '../../../shared/settings/settings.ts';
import { type StrayEvent, strayStream } from '../../../shared/stray/stray.ts';
import type { UserEvent } from '../../../shared/user/user.ts';
import { vmStream } from '../../../shared/vm/decider.ts';
import type { VmEvent } from '../../../shared/vm/events.ts';

/** Every event there is. */
export type DomainEvent =
  | VmEvent
  | UserEvent
  | PlanEvent
  | SettingsEvent
  | ImageEvent
  | LinkEvent
  | StrayEvent;

/** Of which concept an event is, by its stream. */
export const isVmEvent = (event: Event<DomainEvent>): event is Event<VmEvent> =>
  event.stream.startsWith(vmStream(''));
export const isImageEvent = (event: Event<DomainEvent>): event is Event<ImageEvent> =>
  event.stream.startsWith(imageStream(''));
export const isLinkEvent = (event: Event<DomainEvent>): event is Event<LinkEvent> =>
  event.stream.startsWith(linkStream(''));
export const isStrayEvent = (event: Event<DomainEvent>): event is Event<StrayEvent> =>
  event.stream.startsWith(strayStream(''));
