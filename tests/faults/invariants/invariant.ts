import type { Evidence } from '../evidence.ts';

/**
 * An invariant holds at every moment of a run, whatever goes wrong; `check` gives what breaks it. Where it is about one
 * VM, its whole story is printed with the finding.
 */
export type Finding = { what: string; vmId?: string };
export type Invariant = { name: string; check(evidence: Evidence): Finding[] };
