import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capabilities } from '../services/worker/docker/container-options.ts';
import { type BareVm, startBareVm } from '../tests/support/bare-vm.ts';
import { docker } from '../tests/support/docker.ts';

/** What a VM's processes may do: all that people need of root, nothing of what reaches beyond the VM. */

let vm: BareVm;
let plain: BareVm;
beforeAll(async () => {
  [vm, plain] = await Promise.all([startBareVm(), startBareVm({ sudo: false })]);
});
afterAll(() => Promise.all([vm?.remove(), plain?.remove()]));

const status = async (of: BareVm, field: string) =>
  new RegExp(`^${field}:\\s*(\\S+)$`, 'm').exec(await of.ssh('cat /proc/self/status'))?.[1];

/** A package as others are: a user of its own, files of that user, a set-group-id program, one with a capability. */
const makePackage = `
set -eu
rm -rf /tmp/pkg && mkdir -p /tmp/pkg/DEBIAN /tmp/pkg/usr/bin /tmp/pkg/var/lib/made-up && cd /tmp/pkg
printf 'Package: made-up\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@example.org>\\nDescription: d\\n' > DEBIAN/control
printf '#!/bin/sh\\nset -e\\nuseradd --system made-up || true\\nchown -R made-up /var/lib/made-up\\nchmod 0700 /var/lib/made-up\\nsetcap cap_kill+ep /usr/bin/made-up-cap\\nchgrp tty /usr/bin/made-up && chmod 2755 /usr/bin/made-up\\ntouch /var/lib/made-up/by-root\\n' > DEBIAN/postinst
cp /bin/true usr/bin/made-up && cp /bin/true usr/bin/made-up-cap && echo x > var/lib/made-up/data
chmod 0755 DEBIAN/postinst && dpkg-deb --root-owner-group -b /tmp/pkg /tmp/made-up.deb >&2`;

describe('a VM with sudo', () => {
  it('lets its owner become root and somebody else, and ping', async () => {
    expect(await vm.ssh('sudo -n id -un')).toBe('root');
    expect(await vm.ssh('sudo -n su - -c "id -un"')).toBe('root');
    expect(await vm.ssh('sudo -n su dev -c "id -un"')).toBe('dev');
    expect(await vm.ssh('ping -c 1 -W 2 127.0.0.1')).toContain('1 received');
  });

  it('lets apt install a package with a user, capabilities and special bits, and remove it', async () => {
    await vm.ssh(makePackage);
    await vm.ssh('sudo -n apt-get install -y /tmp/made-up.deb');
    expect(await vm.ssh('stat -c "%U %a" /var/lib/made-up; stat -c %a /usr/bin/made-up')).toBe(
      'made-up 700\n2755',
    );
    expect(await vm.ssh('made-up-cap && /sbin/getcap /usr/bin/made-up-cap')).toContain('cap_kill=ep');
    await vm.ssh('sudo -n apt-get purge -y made-up');
  });

  it('has no capability but those that it was given, root included', async () => {
    const { stdout } = await vm.exec(['sh', '-c', 'grep ^CapBnd /proc/self/status; cat /proc/1/status']);
    const { stdout: numbers } = await vm.exec([
      'sh',
      '-c',
      "grep -E 'define CAP_[A-Z_]+\\s+[0-9]+$' /usr/include/linux/capability.h",
    ]);
    const [, bounding = '0'] = /CapBnd:\s*(\w+)/.exec(stdout) ?? [];
    const names = [...numbers.matchAll(/CAP_([A-Z_]+)\s+(\d+)/g)]
      .filter(([, , bit]) => (BigInt(`0x${bounding}`) >> BigInt(bit!)) & 1n)
      .map(([, name]) => name!);
    expect(names.sort()).toEqual([...capabilities].sort());
  });
});

/**
 * The numbers of system calls on x86-64 and ARM64. Without the filter some of these would be allowed, others complain of
 * their arguments: both are not the refusal that is expected.
 */
const filtered = {
  keyctl: [250, 219],
  add_key: [248, 217],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  pivot_root: [155, 41],
  open_by_handle_at: [304, 265],
  init_module: [175, 105],
  kexec_load: [246, 104],
  reboot: [169, 142],
  swapon: [167, 224],
} as const;

describe('the seccomp filter', () => {
  it('is in force for people’s processes and for root', async () => {
    expect(await status(vm, 'Seccomp')).toBe('2');
    expect((await vm.exec(['grep', '^Seccomp:', '/proc/1/status'])).stdout).toMatch(/2$/);
  });

  it.each(Object.entries(filtered))('refuses root %s', async (_name, [x86, arm]) => {
    // Harmless where it would be allowed: 0x10000000 is a new user namespace for unshare, the others take such arguments for wrong ones.
    const script = `import ctypes,platform;c=ctypes.CDLL(None,use_errno=True);n=${arm} if platform.machine()=="aarch64" else ${x86};r=c.syscall(n,0x10000000,99,0,0,0);print(r,ctypes.get_errno())`;
    expect((await vm.exec(['python3', '-c', script])).stdout).toBe('-1 1');
  });
});

it('AppArmor confines a VM where the host has it', async () => {
  const { SecurityOptions } = await docker.info();
  const has = (SecurityOptions as string[]).some((option) => option.startsWith('name=apparmor'));
  const { stdout } = await vm.exec(['sh', '-c', 'cat /proc/self/attr/current 2>/dev/null || echo none']);
  expect(stdout.includes('docker-default (enforce)')).toBe(has);
});

describe('a VM without sudo', () => {
  it('lets its owner in over SSH, and nobody become root', async () => {
    expect(await plain.ssh('id -un')).toBe('dev');
    expect(await status(plain, 'NoNewPrivs')).toBe('1');
    expect(await plain.ssh('sudo -n id 2>&1; echo $?')).toMatch(/1$/);
    expect(await plain.ssh('ls /etc/sudoers.d/dev 2>&1; cat /etc/motd')).toMatch(
      /No such file[\s\S]*without sudo/,
    );
  });

  it('gives no rights by set-user-id bits or file capabilities either', async () => {
    const { exitCode } = await plain.exec([
      'sh',
      '-c',
      'install -m 4755 /usr/bin/id /usr/local/bin/id-as-root',
    ]);
    expect(exitCode).toBe(0);
    expect(await plain.ssh('id-as-root -u')).toBe('1000');
    expect(await vm.ssh('sudo -n install -m 4755 /usr/bin/id /usr/local/bin/r; r')).toContain('euid=0');
  });

  it('runs commands as dev, and takes a new password', async () => {
    const run = ['/usr/local/lib/berth/run-once', 'op1', '10', 'id -un; sudo -n true || echo refused'];
    expect((await plain.exec(run)).stdout).toMatch(/^dev\n[\s\S]*refused/);
    expect((await plain.exec(['chpasswd'], 'dev:another password for tests\n')).exitCode).toBe(0);
    await expect(plain.ssh('true')).rejects.toThrow(/Permission denied/);
  });
});

/** What fails without each: a script that works in a container with all of them, and not in one that lacks it. */
const needs: Record<string, [what: string, script: string]> = {
  CHOWN: ['giving a file to dev', 'touch /tmp/a && chown dev /tmp/a'],
  DAC_OVERRIDE: ['writing into the home of dev', 'chmod 0700 /home/dev && touch /home/dev/x'],
  FOWNER: ['changing the mode of a file of dev', 'touch /tmp/b && chown dev /tmp/b && chmod 0600 /tmp/b'],
  FSETID: ['a set-group-id program', 'install -g tty -m 2755 /bin/true /tmp/c && test -g /tmp/c'],
  KILL: [
    'ending a process of dev',
    'setpriv --reuid 1000 --regid 1000 --clear-groups sleep 60 & p=$!; until grep -q "^Uid:.1000" /proc/$p/status; do :; done; kill $p',
  ],
  SETFCAP: ['a program with a file capability', 'cp /bin/true /tmp/d && setcap cap_kill+ep /tmp/d'],
  SETGID: ['becoming a member of another group', 'setpriv --regid 1000 --clear-groups true'],
  SETUID: ['becoming dev', 'setpriv --reuid 1000 true'],
  SYS_CHROOT: ['the separated part of sshd', 'chroot /run/sshd /x; test $? = 127'],
};
/** Without an audit log in the kernel, as in many virtual machines, nothing shows that it is needed. */
const notShown = ['AUDIT_WRITE'];

const works = async (script: string, given: readonly string[]): Promise<boolean> => {
  const image = process.env.VM_IMAGE || 'berth-vm:latest';
  const rights = ['--cap-drop', 'ALL', ...given.flatMap((name) => ['--cap-add', name])];
  const label = ['--rm', '--network', 'none', '--label', 'berth.instance=test-capabilities'];
  const { exitCode, stderr } = await execa(
    'docker',
    ['run', ...label, ...rights, '--entrypoint', 'sh', image, '-c', script],
    { reject: false },
  );
  if (exitCode === 125) throw new Error(stderr);
  return exitCode === 0;
};

describe('no capability is given for nothing', () => {
  it('and each has a reason here', () =>
    expect([...Object.keys(needs), ...notShown].sort()).toEqual([...capabilities].sort()));

  it.each(Object.entries(needs))('%s', async (name, [what, script]) => {
    const [withIt, without] = await Promise.all([
      works(script, capabilities),
      works(
        script,
        capabilities.filter((other) => other !== name),
      ),
    ]);
    expect({ what, withIt, without }).toEqual({ what, withIt: true, without: false });
  });
});
