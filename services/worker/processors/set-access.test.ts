import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Access } from '../../../queues/catalog.ts';
import { runInContainer } from '../docker/exec.ts';
import { testContext } from '../testing/context.ts';
import { ensureTestImage } from '../testing/image.ts';
import { newVmOrder, operationOn } from '../testing/orders.ts';
import { ssh } from '../testing/ssh.ts';
import { docker, password, passwordHash, removeInstance, testHost } from '../testing/vm-host.ts';
import { createVmProcessor } from './create-vm.ts';
import { accessCommand, putAccess } from './put-access.ts';
import { restartVmProcessor } from './restart-vm.ts';
import { setAccessProcessor } from './set-access.ts';
import { startVmProcessor } from './start-vm.ts';
import { stopVmProcessor } from './stop-vm.ts';

const host = testHost();
const setAccess = setAccessProcessor(host);
let vm: { vmId: string; sshPort: number; containerId: string };
let folder: string;
let keyFile: string;
let publicKey: string;
let otherPassword: { text: string; hash: string };

beforeAll(async () => {
  await ensureTestImage(host);
  folder = await mkdtemp(join(tmpdir(), 'berth-keys-'));
  keyFile = join(folder, 'key');
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'a laptop', '-f', keyFile]);
  await chmod(keyFile, 0o600);
  publicKey = (await readFile(`${keyFile}.pub`, 'utf8')).trim();
  const text = 'another-horse';
  const { stdout: hash } = await execa('openssl', ['passwd', '-6', '-stdin'], { input: text });
  otherPassword = { text, hash };
  const order = await newVmOrder();
  const { containerId } = await createVmProcessor(host)(order, testContext());
  vm = { vmId: order.vmId, sshPort: order.sshPort, containerId };
});
afterAll(async () => {
  await removeInstance();
  await rm(folder, { recursive: true });
});

const set = (access: Access) => setAccess({ ...operationOn(vm.vmId), access }, testContext());
const keysInVm = async () =>
  (
    await runInContainer(
      host.engine,
      vm.containerId,
      { argv: ['cat', '/etc/ssh/berth_authorized_keys/dev'] },
      {},
    )
  ).stdout;
const sshWithKey = async (file = keyFile): Promise<string> => {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'];
  const { stdout } = await execa('ssh', [
    ...['-q', '-i', file, '-o', 'IdentitiesOnly=yes'],
    ...options.flatMap((option) => ['-o', option]),
    ...['-p', `${vm.sshPort}`, 'dev@127.0.0.1', 'whoami'],
  ]);
  return stdout;
};

describe('setting a VM’s access', () => {
  it('lets a key in, and a new password in the place of the old one', async () => {
    await expect(sshWithKey()).rejects.toThrow();
    await set({ passwordHash: otherPassword.hash, authorizedKeys: [publicKey], revision: 2 });
    expect(await sshWithKey()).toBe('dev');
    expect((await ssh(vm.sshPort, 'whoami', otherPassword.text)).stdout).toBe('dev');
    await expect(ssh(vm.sshPort, 'whoami', password)).rejects.toThrow();
  });

  it('changes nothing when it comes late, or again', async () => {
    await set({ passwordHash, authorizedKeys: [], revision: 1 });
    await set({ passwordHash, authorizedKeys: [], revision: 2 });
    expect(await sshWithKey()).toBe('dev');
    expect((await ssh(vm.sshPort, 'whoami', otherPassword.text)).stdout).toBe('dev');
  });

  it('brings keys byte for byte, whatever their comments hold', async () => {
    const key = publicKey.split(' ').slice(0, 2).join(' ');
    const authorizedKeys = [
      `${key} it's "quoted" $HOME \`id\` $(id)`,
      `${key} C:\\dev\\n \\\\ %s %d -n`,
      `${key} 🐳 é “x” *  two spaces `,
      publicKey,
    ];
    await set({ passwordHash, authorizedKeys, revision: 3 });
    expect(await keysInVm()).toBe(authorizedKeys.map((line) => `${line}\n`).join(''));
    expect(await sshWithKey()).toBe('dev');
  });

  it('brings many keys, and of several at once leaves the newest', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `${publicKey} ${index} ${'x'.repeat(200)}`);
    const revisions = [40, 45, 41, 44, 42];
    await Promise.all(
      revisions.map((revision) =>
        set({ passwordHash, authorizedKeys: [...many, `# ${revision}`], revision }),
      ),
    );
    const lines = (await keysInVm()).trimEnd().split('\n');
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toBe('# 45');
  });

  it('takes keys away', async () => {
    await set({ passwordHash, authorizedKeys: [], revision: 50 });
    expect(await keysInVm()).toBe('');
    await expect(sshWithKey()).rejects.toThrow();
  });

  it('does not take input that was cut off for less keys', async () => {
    const access = { passwordHash, authorizedKeys: [publicKey], revision: 51 };
    await set(access);
    const whole = accessCommand({ ...access, passwordHash: otherPassword.hash, revision: 52 });
    for (const length of [0, 1, 5, 60, whole.stdin.length - 20]) {
      const cutOff = { ...whole, stdin: whole.stdin.slice(0, length) };
      const { exitCode } = await runInContainer(host.engine, vm.containerId, cutOff, {});
      expect(exitCode).not.toBe(0);
    }
    expect(await keysInVm()).toBe(`${publicKey}\n`);
    expect((await ssh(vm.sshPort, 'whoami', password)).stdout).toBe('dev');
  });

  it('needs nothing to be as the image made it', async () => {
    const wreck = 'rm -rf /etc/ssh/berth_authorized_keys /var/lib/berth/access*; chmod 0777 /var/lib/berth';
    await runInContainer(host.engine, vm.containerId, { argv: ['sh', '-c', wreck] }, {});
    await set({ passwordHash, authorizedKeys: [publicKey], revision: 1 });
    expect(await sshWithKey()).toBe('dev');
    const junk = 'echo "junk; rm -rf /" > /var/lib/berth/access-revision';
    await runInContainer(host.engine, vm.containerId, { argv: ['sh', '-c', junk] }, {});
    await set({ passwordHash, authorizedKeys: [], revision: 2 });
    await expect(sshWithKey()).rejects.toThrow();
  });

  it('is made up for at the next start or restart, and is refused before', async () => {
    const access = { passwordHash: otherPassword.hash, authorizedKeys: [publicKey], revision: 61 };
    await stopVmProcessor(host)(operationOn(vm.vmId), testContext());
    await expect(set(access)).rejects.toMatchObject({ name: 'OperationError', code: 'vm-not-running' });
    const { sshPort } = vm;
    await startVmProcessor(host)({ ...operationOn(vm.vmId), sshPort, access }, testContext());
    expect(await sshWithKey()).toBe('dev');
    expect((await ssh(sshPort, 'whoami', otherPassword.text)).stdout).toBe('dev');
    const none = { ...access, authorizedKeys: [], revision: 62 };
    await restartVmProcessor(host)({ ...operationOn(vm.vmId), sshPort, access: none }, testContext());
    await expect(sshWithKey()).rejects.toThrow();
  });

  it('touches nothing once a newer operation exists, and says what became of a VM that is gone', async () => {
    const access = { passwordHash, authorizedKeys: [publicKey], revision: 99 };
    const late = testContext();
    late.supersedeAfter(0);
    await expect(setAccess({ ...operationOn(vm.vmId), access }, late)).rejects.toMatchObject({
      name: 'SupersededError',
    });
    expect(await keysInVm()).toBe('');
    await expect(setAccess({ ...operationOn('gone'), access }, testContext())).rejects.toMatchObject({
      code: 'container-vanished',
    });
  });

  it('keeps hash and keys out of the process list and what Docker shows', async () => {
    const access = { passwordHash: otherPassword.hash, authorizedKeys: [publicKey], revision: 100 };
    // The lock is held, so that what puts the access in place is there to be looked at.
    const hold = { argv: ['flock', '/var/lib/berth/access-lock', 'sleep', '2'] };
    const held = runInContainer(host.engine, vm.containerId, hold, {});
    const putting = putAccess(host, vm.containerId, access, {});
    const { stdout: processes } = await execa('docker', ['top', vm.containerId, '-eo', 'pid,args']);
    const inspected = await docker.getContainer(vm.containerId).inspect();
    const execs = await Promise.all(
      (inspected.ExecIDs ?? []).map((id: string) => docker.getExec(id).inspect()),
    );
    await Promise.all([held, putting]);
    for (const shown of [processes, JSON.stringify([inspected, execs])]) {
      expect(shown).not.toContain(otherPassword.hash);
      expect(shown).not.toContain(publicKey.split(' ')[1]);
    }
    expect(await keysInVm()).toBe(`${publicKey}\n`);
  });
});
