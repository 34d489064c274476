import type { Finding, Invariant } from './invariant.ts';

export const oneContainer: Invariant = {
  name: 'a VM has one container at most, at every moment',
  check({ containerEvents }) {
    const findings: Finding[] = [];
    const living = new Map<string, Set<string>>();
    for (const { action, vmId, containerId } of containerEvents) {
      const ofVm = living.get(vmId) ?? new Set();
      living.set(vmId, ofVm);
      if (action === 'destroy') ofVm.delete(containerId);
      else ofVm.add(containerId);
      if (ofVm.size > 1 && action === 'create') {
        findings.push({ what: `a container was made when there was one: ${[...ofVm].join(', ')}`, vmId });
      }
    }
    return findings;
  },
};
