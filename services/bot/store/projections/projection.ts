import type { Kysely, Transaction } from 'kysely';
import type { Event } from '../../../../shared/event-store/schema.ts';
import type { DomainEvent } from '../domain-event.ts';
import type { Database } from '../schema.ts';

type Apply<E extends DomainEvent> = (trx: Transaction<Database>, event: Event<E>) => Promise<void>;

/** A table built from events alone. Dropped, created and filled again, it has the same rows. */
export type Projection = {
  table: 'vms' | 'operations' | 'users' | 'ssh_keys' | 'plans' | 'settings' | 'strays';
  create(db: Kysely<Database>): Promise<void>;
  apply: Apply<DomainEvent>;
};

type Handlers<E extends DomainEvent> = { [Type in E['type']]: Apply<Extract<E, { type: Type }>> };

/** For a projection that the events of one concept concern: all of them, so a forgotten one does not compile. */
export const onlyFor = <E extends DomainEvent>(handlers: Handlers<E>): Apply<DomainEvent> => {
  const byType: Partial<Record<DomainEvent['type'], Apply<never>>> = handlers;
  return async (trx, event) => {
    await byType[event.type]?.(trx, event as never);
  };
};
