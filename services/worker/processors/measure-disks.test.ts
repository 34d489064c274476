import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInContainer } from '../docker/exec.ts';
import { newProbe } from '../docker/probes.ts';
import { testContext } from '../testing/context.ts';
import { ensureTestImage } from '../testing/image.ts';
import { newVmOrder, operationOn } from '../testing/orders.ts';
import { docker, leftovers, removeInstance, testHost } from '../testing/vm-host.ts';
import { createVmProcessor } from './create-vm.ts';
import { measureDisksProcessor } from './measure-disks.ts';
import { stopVmProcessor } from './stop-vm.ts';

const host = testHost();
const measure = measureDisksProcessor(host);
const MIB = 1024 ** 2;
type Vm = { vmId: string; containerId: string };
let vm: Vm;
let other: Vm;

const ask = async (vmIds: string[], lane: 'quick' | 'slow' = 'quick') => {
  const vms = vmIds.map((vmId) => ({ vmId, epoch: 7 }));
  return (await measure({ requestId: 'r1', correlationId: 'test', lane, vms }, testContext())).vms;
};
const usedBy = async ({ vmId }: Vm) => (await ask([vmId]))[0]!.usedBytes! / MIB;
/** As root in the VM, who may do there what they like. */
const asRoot = (script: string, { containerId }: Vm = vm) =>
  runInContainer(host.engine, containerId, { argv: ['bash', '-c', script] }, { deadline: 60_000 });

const create = async (): Promise<Vm> => {
  const order = await newVmOrder();
  const { containerId } = await createVmProcessor(host)(order, testContext());
  return { vmId: order.vmId, containerId };
};

beforeAll(async () => {
  await ensureTestImage(host);
  [vm, other] = await Promise.all([create(), create()]);
});
afterAll(() => removeInstance());

describe('the disk that a VM uses', () => {
  it('is what lies in its home and what it has changed outside, and no other VM’s', async () => {
    const before = await usedBy(vm);
    await asRoot('head -c 20M /dev/urandom > /home/dev/a; head -c 10M /dev/urandom > /opt/b');
    expect(await usedBy(vm)).toBeCloseTo(before + 30, 0);
    expect(await usedBy(other)).toBeLessThan(5);
  });

  it('is also what root in the VM puts into the files that Docker keeps for it', async () => {
    const before = await usedBy(vm);
    await asRoot('for name in hosts hostname resolv.conf; do head -c 4M /dev/urandom >> /etc/$name; done');
    expect(await usedBy(vm)).toBeCloseTo(before + 12, 0);
  });

  it('is known of those that run, with the epoch of the question', async () => {
    const [running, unheardOf] = await ask([vm.vmId, 'unheard-of']);
    expect(running).toMatchObject({ epoch: 7, complete: true });
    expect(unheardOf).toEqual({ vmId: 'unheard-of', epoch: 7, usedBytes: null, complete: false });
    await stopVmProcessor(host)(operationOn(other.vmId), testContext());
    expect((await ask([other.vmId]))[0]).toMatchObject({ usedBytes: null });
  });

  it('does not grow by holes in files, nor by a second name of one', async () => {
    const before = await usedBy(vm);
    await asRoot('truncate -s 500G /opt/hole; ln /opt/b /opt/c; ln /home/dev/a /home/dev/b');
    expect(await usedBy(vm)).toBeCloseTo(before, 0);
  });

  it('is counted past whatever root in the VM puts in the way', async () => {
    const before = await usedBy(vm);
    await asRoot(`
      for program in du find awk timeout sh.x stat ls nice ionice xargs; do
        printf '#!/bin/sh\\necho 0 0 0; sleep 600\\n' > /usr/bin/$program
      done
      cd /home/dev && mkdir -p "$(printf 'end 0\\n0 0 0\\n')" '-delete' '$(touch x)' && ln -s / root && ln -s /proc/kcore core
      mkfifo pipe && head -c 5M /dev/zero > "$(printf 'a\\nb\\001\\377')"
      python3 -c 'import os
for _ in range(500): os.mkdir("d" * 25); os.chdir("d" * 25)
open("deep", "wb").write(bytes(5 << 20))'
      chmod 0 /home/dev`);
    const [after] = await ask([vm.vmId]);
    expect(after!.complete).toBe(true);
    expect(after!.usedBytes! / MIB).toBeGreaterThan(before + 10);
    expect(after!.usedBytes! / MIB).toBeLessThan(before + 15);
  });

  it('of many small files is counted as well', async () => {
    const before = await usedBy(vm);
    await asRoot(
      'mkdir /opt/many && cd /opt/many && python3 -c "for i in range(20000): open(str(i), \\"w\\").write(\\"x\\")"',
    );
    expect(await usedBy(vm)).toBeGreaterThan(before + 70);
  });
});

describe('measuring disks', () => {
  it('leaves nothing behind', async () => {
    await ask([vm.vmId]);
    expect((await leftovers()).containers.filter((name) => name?.includes('probe'))).toEqual([]);
  });

  it('does not begin while another worker is at it, except in the other lane', async () => {
    const order = { Image: host.vmImage, Entrypoint: ['true'] };
    await docker.createContainer({
      ...newProbe(host.instance, { purpose: 'disk-quick', lasts: 60_000 }),
      ...order,
    });
    expect((await ask([vm.vmId]))[0]).toMatchObject({ usedBytes: null });
    expect((await ask([vm.vmId], 'slow'))[0]).toMatchObject({ complete: true });
  });

  it('takes away what a worker left that died', async () => {
    const name = `${host.instance}-probe-disk-quick`;
    await docker.getContainer(name).remove();
    const order = { Image: host.vmImage, Entrypoint: ['true'] };
    await docker.createContainer({
      ...newProbe(host.instance, { purpose: 'disk-quick', lasts: -1_000 }),
      ...order,
    });
    expect((await ask([vm.vmId]))[0]).toMatchObject({ complete: true });
  });
});
