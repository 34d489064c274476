import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { removeEverythingOf } from './support/docker.ts';
import { firstVersion, writeFirstVersion } from './support/first-version.ts';
import { findFreePort } from './support/redis.ts';

// A machine that is busy takes its time.
vi.setConfig({ testTimeout: 120_000 });

/**
 * Berth as a service of systemd, installed from a checkout of the test's own into a folder that stands for the root of a
 * machine. Programs of the test's stand for npm, which brings this project's packages, and for systemctl, which writes down
 * what it is told, and fails when the test wants it to.
 */

const root = join(import.meta.dirname, '..');
let folder: string;
const checkout = (...parts: string[]) => join(folder, 'checkout', ...parts);
const at = (...parts: string[]) => join(folder, 'stage', ...parts);
const program = async (path: string, text: string) => {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-systemd-'));
  await mkdir(checkout());
  const files = await execa('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  const copy = { cwd: root, input: files.stdout };
  await execa('sh', ['-c', `tar --null -T - --ignore-failed-read -c | tar -C '${checkout()}' -x`], copy);
  await program(join(folder, 'bin/npm'), `ln -sfn '${join(root, 'node_modules')}' node_modules`);
  const systemctl = [
    `echo "$*" >>'${join(folder, 'told')}'`,
    `if [ "$1" = start ] && [ -x '${join(folder, 'fault')}' ]; then '${join(folder, 'fault')}'; exit 1; fi`,
  ];
  await program(at('usr/bin/systemctl'), systemctl.join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (script: string, ...options: string[]) =>
  execa(checkout('scripts', script), ['--root', at(), ...options], {
    all: true,
    reject: false,
    env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
  });
const told = async (): Promise<string[]> => {
  const text = await readFile(join(folder, 'told'), 'utf8').catch(() => '');
  await rm(join(folder, 'told'), { force: true });
  return text.split('\n').filter((line) => line !== '');
};
const inUse = () => readlink(at('opt/berth/current'));
const rights = async (path: string) => ((await stat(at(path))).mode & 0o777).toString(8);

describe('./scripts/install', () => {
  it('refuses in words where there is no systemd, and says what else runs Berth', async () => {
    const { exitCode, stderr } = await execa(checkout('scripts/install'), { reject: false });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/not run by systemd\. \.\/scripts\/start|needs root/);
  });

  it('says with --dry-run what it would do, and does nothing', async () => {
    const { exitCode, stdout } = await run('install', '--dry-run');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/make release .+\n[\s\S]*berth\.service\n[\s\S]*nothing was changed$/);
    expect(await readdir(at())).toEqual(['usr']);
    expect(await told()).toEqual([]);
  });

  it('brings release, settings, unit and command into place, with no right too many', async () => {
    const { exitCode, all } = await run('install');
    expect(exitCode, all).toBe(0);
    expect(await told()).toEqual(['daemon-reload', 'enable berth.service', 'restart berth.service']);
    expect(await readdir(at('opt/berth/current/'))).toEqual(
      expect.arrayContaining(['bin', 'node_modules', 'services', 'scripts']),
    );
    expect(await readdir(at('opt/berth/current/'))).not.toContain('.git');
    expect(await rights('etc/berth')).toBe('750');
    expect(await rights('etc/berth/berth.env')).toBe('640');
    expect(await rights('var/lib/berth')).toBe('700');
    expect(await readFile(at('etc/berth/berth.env'), 'utf8')).toMatch(/^DATA_DIR=\/var\/lib\/berth$/m);
  });

  it('changes nothing when it is run again, least of all the settings', async () => {
    const before = await inUse();
    const own = [
      `DATA_DIR=${at('var/lib/berth')}`,
      'EXEC_TIMEOUT=77',
      `SECRET_KEY=${firstVersion.secretKey}`,
    ];
    await writeFile(at('etc/berth/berth.env'), `${own.join('\n')}\n`);
    expect((await run('install')).exitCode).toBe(0);
    expect(await inUse()).toBe(before);
    expect(await readdir(at('opt/berth/releases'))).toHaveLength(1);
    expect(await readFile(at('etc/berth/berth.env'), 'utf8')).toContain('EXEC_TIMEOUT=77');
    await told();
  });

  it('lists what is wrong in the settings before anything is restarted', async () => {
    const good = await readFile(at('etc/berth/berth.env'), 'utf8');
    await writeFile(at('etc/berth/berth.env'), `${good}WORKERS=many\n`);
    const { exitCode, stderr } = await run('install');
    await writeFile(at('etc/berth/berth.env'), good);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/WORKERS: .+\n\nCorrect it in .+berth\.env/);
    expect(await told()).toEqual([]);
  });
});

describe('the unit', () => {
  const unit = 'etc/systemd/system/berth.service';

  it('is understood by systemd, and leaves little open', async () => {
    const copy = join(folder, 'verified/berth.service');
    await mkdir(join(folder, 'verified'));
    await writeFile(copy, (await readFile(at(unit), 'utf8')).replaceAll('/opt/berth', at('opt/berth')));
    const { all } = await execa('systemd-analyze', ['verify', '--man=no', copy], { all: true });
    expect(all.split('\n').filter((line) => line.includes('berth'))).toEqual([]);
    // 0 is the best, 100 no protection at all.
    await execa('systemd-analyze', ['security', '--offline=true', '--threshold=25', copy]);
  });

  it('runs Berth for a user without rights, and systemd hears when it is ready', async () => {
    const line = /^ExecStart=(.+)$/m.exec(await readFile(at(unit), 'utf8'))![1]!;
    const instance = `test-sd-${Math.random().toString(36).slice(2, 8)}`;
    const settings = join(folder, 'own.env');
    const data = join(folder, 'own-data');
    const ports = [await findFreePort(), await findFreePort()];
    await writeFile(
      settings,
      [
        `DATA_DIR=${data}`,
        `INSTANCE=${instance}`,
        `PRACTICE_PORT=${ports[0]}`,
        `GATEWAY_PORT=${ports[1]}`,
        'TUNNEL=off',
        'SSH_PORT_RANGE=20761-20769',
        'WORKERS=1',
      ].join('\n'),
    );
    await mkdir(data, { mode: 0o700 });
    await program(join(folder, 'bin/systemd-notify'), `echo "$NOTIFY_SOCKET $*" >'${data}/notified'`);
    const nobody = 65_534;
    await execa('chown', ['-R', `${nobody}:${nobody}`, data]);
    await execa('chmod', ['-R', 'a+rX', folder]);
    const { gid } = await stat('/var/run/docker.sock');
    const user = [
      `--reuid=${nobody}`,
      `--regid=${nobody}`,
      `--groups=${gid}`,
      '--no-new-privs',
      '--inh-caps=-all',
    ];
    const [node, ...args] = line
      .replaceAll('/opt/berth', at('opt/berth'))
      .replace('/etc/berth/berth.env', settings)
      .split(' ');
    const berth = execa('setpriv', [...user, node!, ...args], {
      cwd: at('opt/berth/current'),
      extendEnv: false,
      env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, NOTIFY_SOCKET: '@a-socket' },
      reject: false,
      all: true,
    });
    try {
      await expect
        .poll(() => readFile(join(data, 'notified'), 'utf8').catch(() => ''), { timeout: 60_000 })
        .toMatch(new RegExp(`^@a-socket --ready --pid=${berth.pid} --status=ready: open http://127`));
      expect((await fetch(`http://127.0.0.1:${ports[1]}/healthz`)).status).toBe(200);
    } finally {
      berth.kill('SIGTERM');
    }
    expect((await berth).exitCode).toBe(0);
    await removeEverythingOf(instance);
  });
});

describe('./scripts/upgrade', () => {
  const database = () => at('var/lib/berth/berth.db');
  const change = (text: string) => writeFile(checkout('CHANGELOG.md'), `${text}\n`);

  beforeAll(() => writeFirstVersion(at('var/lib/berth')));

  it('has nothing to do where the release is the same', async () => {
    const { exitCode, stdout } = await run('upgrade');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('in use already');
    expect(await told()).toEqual([]);
  });

  it('rehearses with a copy, makes a backup, and starts the new release', async () => {
    const before = await inUse();
    await change('the second');
    const { exitCode, all } = await run('upgrade');
    expect(exitCode, all).toBe(0);
    expect(all).toMatch(
      /rehearsing[\s\S]*47 events read[\s\S]*making a backup[\s\S]*Berth runs with release/,
    );
    expect(await told()).toEqual(['stop berth.service', 'daemon-reload', 'start berth.service']);
    expect(await inUse()).not.toBe(before);
    expect(
      (await readdir(at('var/lib/berth/backups'))).filter((name) => /^berth-.+\.tar$/.test(name)),
    ).toHaveLength(1);
  });

  it('goes back, with the database of before, where the new release does not start', async () => {
    const before = await inUse();
    const content = await readFile(database());
    await change('the third');
    // As a bot does that brings the database forward, keeps a copy, and then dies.
    const backups = at('var/lib/berth/backups');
    await program(
      join(folder, 'fault'),
      `cp '${database()}' '${backups}/before-900-planted-20990101T000000Z.db' && echo changed >'${database()}' && rm '${join(folder, 'fault')}'`,
    );
    const { exitCode, stderr } = await run('upgrade');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('The upgrade was taken back');
    expect(await inUse()).toBe(before);
    expect((await told()).slice(2)).toEqual([
      'start berth.service',
      'stop berth.service',
      'daemon-reload',
      'start berth.service',
    ]);
    expect(await readFile(database())).toEqual(content);
    expect((await readdir(backups)).filter((name) => name.startsWith('failed-upgrade-'))).toHaveLength(1);
  });

  it('changes nothing where the new release cannot use the database', async () => {
    const before = await inUse();
    await change('the fourth');
    await writeFile(
      checkout('services/bot/store/upcasters.ts'),
      'export const upcasters = { UserAllowed: [() => { throw new Error("planted"); }] };\n',
    );
    const { exitCode, all } = await run('upgrade');
    expect(exitCode).toBe(1);
    expect(all).toMatch(/planted[\s\S]*cannot use this database\. Nothing was changed/);
    expect(await inUse()).toBe(before);
    expect(await told()).toEqual([]);
  });
});

describe('./scripts/uninstall', () => {
  it('takes the service away and leaves settings and data, until it is told otherwise', async () => {
    expect((await run('uninstall')).exitCode).toBe(0);
    expect(await told()).toEqual(['disable --now berth.service', 'daemon-reload']);
    expect(await readdir(at('opt'))).toEqual([]);
    expect(await readdir(at('var/lib/berth'))).toContain('berth.db');
    expect((await run('uninstall', '--purge')).exitCode).toBe(0);
    expect(await readdir(at('var/lib'))).toEqual([]);
    expect(await readdir(at('etc'))).not.toContain('berth');
  });
});
