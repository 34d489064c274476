import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GIB } from '../../../shared/vm/limits.ts';
import { testContext } from '../testing/context.ts';
import { ensureTestImage } from '../testing/image.ts';
import { access, newVmOrder, operationOn } from '../testing/orders.ts';
import { ssh } from '../testing/ssh.ts';
import { docker, leftovers, passwordHash, removeInstance, testHost } from '../testing/vm-host.ts';
import { createVmProcessor } from './create-vm.ts';
import { destroyVmProcessor } from './destroy-vm.ts';
import { restartVmProcessor } from './restart-vm.ts';
import { startVmProcessor } from './start-vm.ts';
import { stopVmProcessor } from './stop-vm.ts';

const host = testHost();
const create = createVmProcessor(host);
const start = startVmProcessor(host);
const stop = stopVmProcessor(host);
const restart = restartVmProcessor(host);
const destroy = destroyVmProcessor(host);

beforeAll(() => ensureTestImage(host));
afterAll(() => removeInstance());

const nameOf = (vmId: string) => `${host.instance}-${vmId}`;
const inspect = (vmId: string) => docker.getContainer(nameOf(vmId)).inspect();

describe('the life of a VM', () => {
  it('goes from creation to a shell, through stop, start and restart, to nothing', async () => {
    const wish = await newVmOrder();
    const { vmId, sshPort } = wish;
    const context = testContext();
    const made = await create(wish, context);
    expect(context.steps).toEqual(['container', 'starting', 'ssh']);
    expect(made.containerId).toBe((await inspect(vmId)).Id);

    const first = await ssh(sshPort, 'echo kept > ~/file; sudo -n id -u; hostname; whoami');
    expect(first.stdout.split('\n')).toEqual(['0', 'atlas', 'dev']);
    expect(first.fingerprint).toBe(made.hostKeyFingerprint);

    await stop(operationOn(vmId), testContext());
    expect((await inspect(vmId)).State.Running).toBe(false);
    await stop(operationOn(vmId), testContext()); // once more: done already

    await start({ ...operationOn(vmId), sshPort, access }, testContext());
    const second = await ssh(sshPort, 'cat ~/file');
    expect(second).toMatchObject({ stdout: 'kept', fingerprint: made.hostKeyFingerprint });
    await start({ ...operationOn(vmId), sshPort, access }, testContext());

    const before = (await inspect(vmId)).State.StartedAt;
    await restart({ ...operationOn(vmId), sshPort, access }, testContext());
    expect((await inspect(vmId)).State.StartedAt > before).toBe(true);
    expect((await ssh(sshPort, 'cat ~/file')).stdout).toBe('kept');

    const running = await docker.listContainers({ all: true, filters: { name: [nameOf(vmId)] } });
    expect(running).toHaveLength(1);
    await destroy(operationOn(vmId), testContext());
    await destroy(operationOn(vmId), testContext());
    const left = await leftovers();
    expect(left.containers).not.toContain(nameOf(vmId));
    expect(left.volumes).not.toContain(nameOf(vmId));
  });

  it('puts the limits of the plan and the protections on the container', async () => {
    const wish = await newVmOrder({
      limits: { memoryBytes: GIB / 2, cpus: 64, diskBytes: GIB, gpu: false, sudo: true },
    });
    await create(wish, testContext());
    const { HostConfig, Config, NetworkSettings } = await inspect(wish.vmId);
    const { NCPU } = (await docker.info()) as { NCPU: number };
    expect(HostConfig).toMatchObject({
      Memory: GIB / 2,
      MemorySwap: GIB / 2,
      NanoCpus: NCPU * 1e9, // 64 are more than Docker would grant
      PidsLimit: 1024,
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: null,
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
      PortBindings: { '22/tcp': [{ HostIp: '127.0.0.1', HostPort: String(wish.sshPort) }] },
      Binds: null,
    });
    expect(Config.Labels).toMatchObject({
      'berth.instance': host.instance,
      'berth.vm': wish.vmId,
      'berth.owner': '1001',
    });
    const [network] = Object.values(NetworkSettings.Networks);
    const bridge = await docker.getNetwork(network?.NetworkID ?? '').inspect();
    expect(bridge.Name).toBe(host.instance);
    expect(bridge.Options?.['com.docker.network.bridge.enable_icc']).toBe('false');
    const volume = await docker.getVolume(nameOf(wish.vmId)).inspect();
    expect(volume.Labels['berth.owner']).toBe('1001');
    await destroy(operationOn(wish.vmId), testContext());
  });

  it('keeps the password out of everything Docker shows and the process list', async () => {
    const wish = await newVmOrder();
    const context = testContext();
    await create(wish, context);
    const shown = JSON.stringify([
      await inspect(wish.vmId),
      await docker.getVolume(nameOf(wish.vmId)).inspect(),
    ]);
    expect(shown).not.toContain(passwordHash);
    const { stdout: processes } = await execa('docker', ['top', nameOf(wish.vmId), '-eo', 'pid,args']);
    expect(processes).not.toContain(passwordHash);
    expect(context.logs.join('')).not.toContain(passwordHash);
    await destroy(operationOn(wish.vmId), testContext());
  });

  it('shuts VMs off from one another', async () => {
    const [one, other] = await Promise.all([newVmOrder(), newVmOrder()]);
    await Promise.all([create(one, testContext()), create(other, testContext())]);
    const { NetworkSettings } = await inspect(other.vmId);
    const [network] = Object.values(NetworkSettings.Networks);
    const reach = (address: string) =>
      `timeout 1 bash -c 'read -r line < /dev/tcp/${address}/22; echo $line' || echo no`;
    expect((await ssh(one.sshPort, reach('127.0.0.1'))).stdout).toMatch(/^SSH-/);
    expect((await ssh(one.sshPort, reach(network?.IPAddress ?? ''))).stdout).toBe('no');
    await Promise.all([one, other].map(({ vmId }) => destroy(operationOn(vmId), testContext())));
  });

  it('tells that a container has vanished', async () => {
    const wish = await newVmOrder();
    const expected = { name: 'OperationError', code: 'container-vanished' };
    const { sshPort } = wish;
    await expect(start({ ...operationOn('gone'), sshPort, access }, testContext())).rejects.toMatchObject(
      expected,
    );
    await expect(restart({ ...operationOn('gone'), sshPort, access }, testContext())).rejects.toMatchObject(
      expected,
    );
    await expect(stop(operationOn('gone'), testContext())).rejects.toMatchObject(expected);
  });
});
