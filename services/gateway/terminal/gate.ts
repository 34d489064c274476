/** Something that several may hold shut, each for a reason of its own; it is open while nobody does. */
export const createGate = (flow: { pause(): void; resume(): void }) => {
  const reasons = new Set<string>();
  return {
    shut(reason: string): void {
      if (reasons.size === 0) flow.pause();
      reasons.add(reason);
    },
    open(reason: string): void {
      if (reasons.delete(reason) && reasons.size === 0) flow.resume();
    },
  };
};
