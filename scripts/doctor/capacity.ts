import { formatBytes } from '../../services/bot/format/numbers.ts';
import { firstPlans } from '../../shared/plan/plan.ts';
import { type Finding, ok, warning } from './check.ts';

/** CPUs and bytes of memory against what the plans of a new Berth promise to one VM. */
export const checkCapacity = async (host: { cpus: number; memoryBytes: number }): Promise<Finding> => {
  const name = 'capacity';
  const found = `${host.cpus} CPUs, ${formatBytes(host.memoryBytes)} memory`;
  const plans = Object.values(firstPlans);
  const fits = ({ cpus, memoryBytes }: (typeof plans)[number]) =>
    cpus <= host.cpus && memoryBytes <= host.memoryBytes;
  const names = (which: typeof plans) => which.map((plan) => plan.name).join(', ');
  const fitting = plans.filter(fits);
  const others = plans.filter((plan) => !fits(plan));
  if (fitting.length === 0) {
    return warning(
      name,
      `${found}: less than one VM of the smallest plan, ${plans[0]!.name}, may take`,
      'Give this machine more; until then VMs that use what they may push each other out.',
    );
  }
  const less = others.length === 0 ? '' : `; ${names(others)} would get less than they say`;
  return ok(name, `${found}: enough for ${names(fitting)}${less}`);
};
