import type { Generated } from 'kysely';
import type { AnyMessage } from '../decider.ts';

/** An event as the store keeps it. */
export type EventTable = {
  /** Global order, without gaps for readers: one writer. */
  position: Generated<number>;
  stream: string;
  /** 1 for the first event of a stream. */
  version: number;
  type: string;
  /** Version of the data's shape; older ones are read through upcasters. */
  schema_version: number;
  data: string;
  /** Telegram id of the person; null when Berth itself acted. */
  actor: number | null;
  chat: number | null;
  correlation_id: string;
  causation_id: string | null;
  recorded_at: string;
};

export type Metadata = {
  actor: number | null;
  chat: number | null;
  /** One id from the chat's update to the last log line. */
  correlationId: string;
  /** What led to it directly: an update, a report, another event. */
  causationId: string | null;
};

/** An event with its place and its circumstances. */
export type Event<E extends AnyMessage = AnyMessage> = E & {
  readonly stream: string;
  readonly version: number;
  readonly position: number;
  readonly recordedAt: string;
  readonly metadata: Metadata;
};
