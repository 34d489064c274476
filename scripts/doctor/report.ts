import type { Finding } from './check.ts';

/** What the doctor says: to people a line for each thing, to programs one object whose shape stays (docs/operations.md). */

export type Report = {
  /** The worst of all findings. */
  status: Finding['status'];
  findings: { name: string; status: Finding['status']; found: string; advice: string | null }[];
};

const worst = (findings: Finding[]): Finding['status'] =>
  (['failure', 'warning'] as const).find((one) => findings.some(({ status }) => status === one)) ?? 'ok';

export const reportOf = (findings: Finding[]): Report => ({
  status: worst(findings),
  findings: findings.map(({ name, status, found, advice = null }) => ({ name, status, found, advice })),
});

const marks = { ok: '✔', warning: '!', failure: '✘' };

export const asText = ({ findings }: Report): string => {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(({ name, status, found, advice }) => {
    const todo = advice === null ? '' : ` → ${advice}`;
    return `${marks[status]} ${name.padEnd(width)}  ${found}${todo}\n`;
  });
  return lines.join('');
};
