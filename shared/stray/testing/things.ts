import type { Thing } from '../thing.ts';

export const instance = 'berth';

/** A container as Berth makes one for the VM, long ago, unless told otherwise. */
export const someThing = (changes: Partial<Thing> = {}): Thing => {
  const { kind = 'container', vmId = 'k3j9x2a1' } = changes;
  const name = `${instance}-${vmId}`;
  return {
    kind,
    id: kind === 'volume' ? name : `${kind}-of-${vmId}`,
    name,
    vmId,
    owner: '42',
    createdAt: '2025-01-01T00:00:00.000Z',
    running: false,
    ...changes,
  };
};
