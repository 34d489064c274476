import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { docker, findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { readAccess, ssh } from './support/ssh.ts';

/**
 * A tenant with root in their VM who means harm, beside a neighbour who works. What reaches beyond the VM is refused;
 * what uses up the VM's own share stays within it, while the neighbour's commands take less than twice their time.
 */

let berth: Berth;
let mallory: Participant;
let nora: Participant;
let hers: ReturnType<typeof readAccess>;
let his: ReturnType<typeof readAccess>;
let neighbour: string;
let bridge: string;

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const ended = ({ text }: ChatMessage) => /Done|Exit code|Cancelled|time limit|❌/.test(text);
const slow = { timeoutMs: 60_000 };
const asRoot = (script: string) => ssh(hers, `sudo -n timeout 10 bash -c ${quote(script)} 2>&1`);
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const containerOf = async ({ id }: Participant) => {
  const all = await findContainers(berth.instance);
  return docker.getContainer(all.find(({ Labels }) => Labels['berth.owner'] === `${id}`)!.Id);
};
const addressOf = async (person: Participant) => {
  const { NetworkSettings } = await (await containerOf(person)).inspect();
  const [network] = Object.values(NetworkSettings.Networks);
  return { own: network!.IPAddress, gateway: network!.Gateway };
};

beforeAll(async () => {
  berth = await startBerth({ env: { EXEC_TIMEOUT: '6' } });
  await berth.admin.ask('/config_plan 1 ram 1g', says('1 GB RAM'));
  mallory = await berth.newUser('Mallory');
  nora = await berth.newUser('Nora');
  hers = readAccess(await mallory.ask('/create evil', says('is running'), slow));
  his = readAccess(await nora.ask('/create good', says('is running'), slow));
  ({ own: neighbour, gateway: bridge } = await addressOf(nora));
});
afterAll(() => berth?.stop());

/**
 * Each ends with a status other than 0. On a host where one does not, it must do no harm: what is written is what stands
 * there already, and of devices only a little is read.
 */
const forbidden: Record<string, string> = {
  'the Docker socket':
    'ls /var/run/docker.sock || ls /run/docker.sock || find / -xdev -type s -name "docker*" | grep .',
  'a new file system': 'mount -t tmpfs none /mnt',
  'the host’s disk': 'mknod /tmp/disk b 254 0; dd if=/tmp/disk of=/dev/null count=1',
  'a remount of /proc/sys': 'mount -o remount,rw /proc/sys',
  'a bind mount': 'mount --bind /proc /mnt',
  'mounting control groups':
    'mkdir -p /tmp/cg && mount -t cgroup -o memory none /tmp/cg || mount -t cgroup2 none /tmp/cg',
  'a release agent':
    'for f in $(find /sys/fs/cgroup -name release_agent); do now=$(cat $f); echo "$now" > $f && exit 0; done; exit 1',
  'its own memory limit':
    'for f in /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max; do [ -e $f ] && echo $((1 << 40)) > $f && exit 0; done; exit 1',
  'the handler of core dumps':
    'now=$(cat /proc/sys/kernel/core_pattern) && echo "$now" > /proc/sys/kernel/core_pattern',
  'the kernel’s helper for devices':
    'now=$(cat /sys/kernel/uevent_helper) && echo "$now" > /sys/kernel/uevent_helper',
  'the system request key': 'echo h > /proc/sysrq-trigger',
  'kernel settings':
    'now=$(cat /proc/sys/vm/overcommit_memory) && echo "$now" > /proc/sys/vm/overcommit_memory',
  'the kernel’s log': 'dmesg | grep . || (mknod /tmp/kmsg c 1 11 && head -c 1 /tmp/kmsg)',
  'memory of the machine': 'mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem',
  'the kernel’s memory': 'head -c 1 /proc/kcore | grep -q .',
  'a kernel module':
    'python3 -c "import ctypes,sys; sys.exit(ctypes.CDLL(None,use_errno=True).syscall(175,0,0,0) == 0 or ctypes.get_errno() == 1)"',
  'the host’s name': 'hostname owned',
  'the clock': 'date -s @$(date +%s)',
  'a namespace of its own': 'unshare --mount true || unshare --user true || unshare --net true',
  'another namespace': 'nsenter --target 1 --mount true',
  'somebody else’s processes': 'ps -e -o comm= | grep -E "dockerd|containerd|node"',
  'raw packets': 'python3 -c "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"',
  'another address': 'ip addr add 172.31.9.9/16 dev eth0 || ip link set eth0 address 02:00:00:00:00:01',
};

describe('root in a VM does not get at', () => {
  /** One login for all: what is refused says so. */
  const refused = new Set<string>();
  beforeAll(async () => {
    const tries = Object.values(forbidden).map(
      (script, index) => `(${script}) >/dev/null 2>&1 || echo refused ${index}`,
    );
    const said = await ssh(hers, `sudo -n timeout 60 bash -c ${quote(tries.join('\n'))}`);
    for (const [, index] of said.matchAll(/^refused (\d+)$/gm))
      refused.add(Object.keys(forbidden)[Number(index)]!);
  });

  it.each(Object.keys(forbidden))('%s', (what) => expect(refused).toContain(what));

  it('anything above the root of its files', async () => {
    // Whoever may chroot can leave a chroot, but not the VM.
    const leave =
      'import os;os.mkdir("/tmp/in");os.chroot("/tmp/in");[os.chdir("..") for _ in range(99)];os.chroot(".");print(os.path.exists("/usr/local/lib/berth/run-once"), os.path.exists("/var/lib/docker"))';
    expect(await asRoot(`python3 -c '${leave}'`)).toBe('True False');
  });
});

describe('root in a VM does not reach', () => {
  const connects = (address: string, port: number) =>
    asRoot(
      `python3 -c 'import socket; socket.create_connection(("${address}", ${port}), 3); print("connec" + "ted")' 2>/dev/null; true`,
    );

  it('the neighbour, by its own address or by the host’s', async () => {
    expect(await ssh({ ...his, host: neighbour, port: 22 }, 'echo there')).toBe('there'); // from the host
    expect(await connects(neighbour, 22)).not.toContain('connected');
    expect(await connects(bridge, his.port)).not.toContain('connected');
  });

  it('what listens on the host', async () => {
    const server = createServer((socket) => socket.end('hello')).listen(0, bridge);
    await once(server, 'listening');
    try {
      const { port } = server.address() as { port: number };
      const [greeting] = await once(connect(port, bridge), 'data'); // from the host itself
      expect(String(greeting)).toBe('hello');
      expect(await connects(bridge, port)).not.toContain('connected');
      expect(await connects(bridge, Number(new URL(berth.redis.url).port))).not.toContain('connected');
    } finally {
      server.close();
    }
  });

  it('the address at which clouds serve credentials', async () => {
    expect(await connects('169.254.169.254', 80)).not.toContain('connected');
  });
});

/** Milliseconds from the acceptance of the neighbour's commands to their ends, as the event log has them. */
const neighbourTimes = async (count: number): Promise<number[]> => {
  const before = readTimes().length;
  for (let round = 0; round < count; round++) await nora.ask('/exec true', ended, slow);
  return readTimes().slice(before);
};
const readTimes = (): number[] => {
  const database = new Database(join(berth.dataDir, 'berth.db'), { readonly: true });
  try {
    return database
      .prepare(
        `select requested_at, ended_at from operations where kind = 'exec' and owner = ? and ended_at is not null order by requested_at`,
      )
      .all(nora.id)
      .map((row) => {
        const { requested_at, ended_at } = row as { requested_at: string; ended_at: string };
        return Date.parse(ended_at) - Date.parse(requested_at);
      });
  } finally {
    database.close();
  }
};

const attacks: Record<string, string> = {
  'a fork bomb': 'sudo bash -c "bomb() { bomb | bomb & }; bomb; sleep 60"',
  'a memory hog': `python3 -c "import time\nwhile True:\n try: x = [bytearray(8 << 20) for _ in range(999)]\n except MemoryError: time.sleep(0.01)"; sleep 60`,
  'endless output': 'yes',
  'children that leave their session': `for i in $(seq 50); do (setsid sh -c "trap '' TERM HUP; while :; do :; done" &); done; sleep 60`,
  'a disk that is written full': 'timeout 8 dd if=/dev/zero of=big bs=1M count=1500; rm big; sleep 60',
};

describe('beside a tenant who uses up all they have', { timeout: 300_000 }, () => {
  // The machine has other work, too: what is quick and what is not is told apart in turns.
  it('the neighbour’s commands take less than twice their time, and nothing is left of it', {
    retry: 2,
  }, async () => {
    const quiet: number[] = [];
    const during: number[] = [];
    for (const [what, attack] of Object.entries(attacks)) {
      quiet.push(...(await neighbourTimes(3)));
      const answer = await mallory.ask(`/exec ${attack}`, says('Running'), slow);
      during.push(...(await neighbourTimes(3)));
      const end = await mallory.waitForMessage((message) => message.id === answer.id && ended(message), slow);
      expect(end.text, what).toMatch(/time limit|Exit code 137/);
      const left = await mallory.ask(
        '/exec ps -e -o comm= | grep -vE "^(sshd|tini|ps|grep|bash|run-once|sh|wc|timeout|sudo)" | wc -l',
        ended,
        slow,
      );
      expect(left.text, what).toContain('\n0\n');
    }
    console.log(`the neighbour's /exec: ${median(quiet)} ms in quiet, ${median(during)} ms beside attacks`);
    expect(median(during)).toBeLessThan(2 * median(quiet));
  });
});

describe('programs of ours that root in a VM has replaced', { timeout: 300_000 }, () => {
  const replace = (programs: string, by: string) =>
    asRoot(
      `printf '%s\\n' '#!/bin/bash' ${quote(by)} > /tmp/by; chmod 755 /tmp/by; for p in ${programs}; do cp --remove-destination /tmp/by $p; done`,
    );
  /** A command that nothing else ended has restarted the VM. */
  const isUp = () =>
    expect.poll(() => ssh(hers, 'echo up').catch(() => ''), { timeout: 60_000, interval: 500 }).toBe('up');
  const berths = '/usr/local/lib/berth/run-once /usr/local/lib/berth/end-exec';
  const all = `${berths} /usr/bin/tmux /usr/bin/du /usr/sbin/chpasswd /usr/bin/date /usr/bin/cat`;

  it.each([
    ['say that the command ran before', 'echo "berth: this command was started before" >&2; exit 125'],
    ['print without end', 'while :; do head -c 1M /dev/urandom; done'],
    ['print what looks like Docker’s words', 'echo "OCI runtime exec failed: no such container"; exit 126'],
  ])('and that %s harm nobody else', async (_what, by) => {
    await isUp();
    await replace(all, by);
    const [answer, fine] = await Promise.all([
      mallory.ask('/exec echo hi', ended, { timeoutMs: 90_000 }),
      nora.ask('/exec echo fine', ended, slow),
      mallory.ask('/status', says('evil'), slow),
    ]);
    expect(answer.text).not.toContain('fine');
    expect(fine.text).toContain('exit code 0');
    await nora.ask('/status', (message) => /CPU \d/.test(message.text), slow);
    expect(
      berth
        .workers()[0]!
        .lines()
        .filter(({ level }) => level === 'fatal'),
    ).toEqual([]);
  });

  it('and that never end are ended with the VM, and a new password fails in words', async () => {
    await isUp();
    await replace(all, "trap '' TERM INT HUP; while :; do sleep 1000 & wait; done");
    const pid = berth.workers()[0]!.pid;
    const answer = await mallory.ask('/exec echo hi', ended, { timeoutMs: 120_000 });
    expect(answer.text).toMatch(/time limit|❌/);
    const changed = await mallory.ask('/password', ({ text }) => /❌|⌛️/.test(text), { timeoutMs: 120_000 });
    expect(changed.text).toMatch(/password/);
    expect((await nora.ask('/exec echo fine', ended, slow)).text).toContain('exit code 0');
    expect(berth.workers()[0]!.pid).toBe(pid);
    const question = await mallory.ask('/destroy', says('for good'), slow);
    await mallory.pressAndWait(question, 0);
    await mallory.waitForMessage(says('is destroyed'), slow);
    expect(await findContainers(berth.instance)).toHaveLength(1);
  });
});
