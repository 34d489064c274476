import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInContainer } from '../docker/exec.ts';
import { testContext } from '../testing/context.ts';
import { ensureTestImage } from '../testing/image.ts';
import { newVmOrder, operationOn } from '../testing/orders.ts';
import { removeInstance, testHost } from '../testing/vm-host.ts';
import { createVmProcessor } from './create-vm.ts';
import { measureVmsProcessor } from './measure-vms.ts';
import { stopVmProcessor } from './stop-vm.ts';

const host = testHost();
const measure = measureVmsProcessor(host);
const question = (...vmIds: string[]) => ({ requestId: 'r1', correlationId: 'test', vmIds });
let busy: { vmId: string; containerId: string };
let stopped: string;

const create = async () => {
  const order = await newVmOrder();
  const { containerId } = await createVmProcessor(host)(order, testContext());
  return { vmId: order.vmId, containerId };
};

beforeAll(async () => {
  await ensureTestImage(host);
  const [first, second] = await Promise.all([create(), create()]);
  busy = first;
  stopped = second.vmId;
  await stopVmProcessor(host)(operationOn(stopped), testContext());
});
afterAll(() => removeInstance());

describe('measuring VMs', () => {
  it('gives live figures of those that run, nothing of others, and does not take long', async () => {
    const script = 'head -c 5000000 /dev/urandom > /home/dev/file; (while :; do :; done) >/dev/null 2>&1 &';
    await runInContainer(host.engine, busy.containerId, { argv: ['sh', '-c', script] }, {});
    const begun = performance.now();
    const { vms } = await measure(question(busy.vmId, stopped, 'unheard-of'), testContext());
    expect(performance.now() - begun).toBeLessThan(1_500);
    const nothing = { startedAt: null, cpus: null, memoryBytes: null, diskBytes: null };
    expect(vms.slice(1)).toEqual([
      { vmId: stopped, ...nothing },
      { vmId: 'unheard-of', ...nothing },
    ]);
    const [figures] = vms;
    expect(Date.parse(figures?.startedAt ?? '')).toBeGreaterThan(Date.now() - 120_000);
    expect(figures?.cpus).toBeGreaterThan(0.1); // one busy loop; the other tests have their share of the host
    expect(figures?.cpus).toBeLessThan(1.6);
    expect(figures?.memoryBytes).toBeGreaterThan(500_000);
    expect(figures?.memoryBytes).toBeLessThan(500_000_000);
    expect(figures?.diskBytes).toBeGreaterThan(5_000_000);
    expect(figures?.diskBytes).toBeLessThan(8_000_000);
  });
});
