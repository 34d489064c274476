import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { interfacePrefix } from '../docker/network.ts';
import { createVmProcessor } from '../processors/create-vm.ts';
import { testContext } from '../testing/context.ts';
import { ensureTestImage } from '../testing/image.ts';
import { newVmOrder } from '../testing/orders.ts';
import { allOf, listenOn, reach } from '../testing/reach.ts';
import { ssh } from '../testing/ssh.ts';
import { docker, removeInstance, testHost } from '../testing/vm-host.ts';
import { removeRules } from './apply.ts';
import { createFirewall } from './firewall.ts';

/** Where Docker gives containers IPv6, they get it by the same rules. */

vi.setConfig({ testTimeout: 120_000 });

const base = testHost();
const { engine, instance, vmImage: image } = base;
const firewall = createFirewall({ engine, instance, image, mayReach: [], log: pino({ level: 'silent' }) });
const host = { ...base, firewall };
const subnet = `fd${randomBytes(1).toString('hex')}:${randomBytes(2).toString('hex')}:0:1`;

const newVm = async () => {
  const order = await newVmOrder();
  const { containerId } = await createVmProcessor(host)(order, testContext());
  const { NetworkSettings } = await docker.getContainer(containerId).inspect();
  return {
    containerId,
    sshPort: order.sshPort,
    address: NetworkSettings.Networks[instance]!.GlobalIPv6Address,
  };
};

beforeAll(async () => {
  await ensureTestImage(host);
  await docker.createNetwork({
    Name: instance,
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: `${subnet}::/64`, Gateway: `${subnet}::1` }] },
    Labels: { 'berth.instance': instance },
    Options: {
      'com.docker.network.bridge.name': `${interfacePrefix(instance)}abc`,
      'com.docker.network.bridge.enable_icc': 'false',
    },
  });
});
afterAll(async () => {
  await removeInstance();
  await removeRules({ engine, image }, instance);
});

it('a VM with IPv6 reaches neither the host nor a neighbour by it, and answers who reaches the VM', async () => {
  const [vm, neighbour] = await Promise.all([newVm(), newVm()]);
  // The kernel gives an address away only once it knows that nobody else has it.
  const ofTheHost = await vi.waitFor(() => listenOn(`${subnet}::1`), { timeout: 15_000 });
  const neighbours = `[${neighbour.address}]:22`;
  const refused = [ofTheHost.target, '[fd12:3456::1]:80', '[64:ff9b::a00:1]:80'];
  const withRules = await reach(docker, vm.containerId, [...refused, neighbours]);
  await removeRules({ engine, image }, instance);
  const without = await reach(docker, vm.containerId, [ofTheHost.target, neighbours]);
  await ofTheHost.close();
  const { [neighbours]: toTheNeighbour, ...others } = withRules;
  expect(others).toEqual(allOf(refused, 'ECONNREFUSED'));
  expect(['silence', 'EHOSTUNREACH']).toContain(toTheNeighbour); // it does not even find the neighbour
  expect(without).toEqual(allOf([ofTheHost.target, neighbours], 'open'));

  await firewall.ensure({ fresh: true });
  expect((await ssh(vm.sshPort, 'whoami')).stdout).toBe('dev');
});
