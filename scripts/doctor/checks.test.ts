import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEngine } from '../../services/worker/docker/engine.ts';
import { findFreePort } from '../../tests/support/redis.ts';
import { checkCapacity } from './capacity.ts';
import { checkClock, judgeSkew } from './clock.ts';
import { checkDataDir } from './data-dir.ts';
import { checkDiskLimits } from './disk-limits.ts';
import { checkGpu, checkRuntime, checkVersion, type EngineInfo, readEngine } from './engine.ts';
import { checkImages } from './images.ts';
import { checkPort } from './ports.ts';
import { checkRedis } from './redis.ts';
import { checkSshPorts } from './ssh-ports.ts';
import { checkTelegram } from './telegram.ts';

const GIB = 1024 ** 3;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-checks-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const info = (different: Partial<EngineInfo>): EngineInfo => ({
  ServerVersion: '28.3.1',
  OperatingSystem: 'Debian',
  Driver: 'overlay2',
  DockerRootDir: '/nowhere',
  SystemTime: new Date().toISOString(),
  NCPU: 2,
  MemTotal: 8 * GIB,
  Runtimes: { runc: {} },
  ...different,
});

describe('the Docker engine', () => {
  it.each([
    ['20.10.24+dfsg1', 'ok'],
    ['29.0.0', 'ok'],
    ['19.03.15', 'warning'],
    ['20.9.0', 'warning'],
  ])('of version %s is %s', async (ServerVersion, status) => {
    expect(await checkVersion(info({ ServerVersion }))).toMatchObject({ status });
  });

  it('that cannot be reached is a failure that says why', async () => {
    await writeFile(join(folder, 'docker.sock'), '');
    const { finding } = await readEngine(
      createEngine(`unix://${folder}/docker.sock`),
      `unix://${folder}/docker.sock`,
    );
    expect(finding).toMatchObject({ status: 'failure', found: expect.stringContaining('does not answer') });
  });

  it('that does not know the runtime of the VMs is a failure', async () => {
    expect(await checkRuntime(info({}), 'runsc')).toMatchObject({
      status: 'failure',
      advice: expect.stringContaining('runc'),
    });
  });

  it('has GPUs by its runtime, or by CDI from version 29 on; folders for CDI alone are none', async () => {
    const cdi = {
      DiscoveredDevices: ['0', 'all'].map((id) => ({ Source: 'cdi', ID: `nvidia.com/gpu=${id}` })),
    };
    expect((await checkGpu(info({ Runtimes: { nvidia: {} } }))).found).toBe('NVIDIA runtime');
    expect(await checkGpu(info({ ...cdi, ServerVersion: '29.0.1' }))).toMatchObject({
      status: 'ok',
      found: '1 by CDI',
    });
    expect(await checkGpu(info(cdi))).toMatchObject({ status: 'warning' });
    expect((await checkGpu(info({ DiscoveredDevices: null }))).found).toMatch(/^none/);
  });

  it('without the images says how to get them', async () => {
    const engine = createEngine('unix:///var/run/docker.sock');
    const [image] = await checkImages(engine, { image: 'no-such-image:latest', baseImage: 'no-such-base:1' });
    expect(image).toMatchObject({ status: 'warning', advice: expect.stringContaining('./scripts/start') });
    const limits = await checkDiskLimits(engine, 'overlay2', 'no-such-image:latest');
    expect(limits).toMatchObject({ status: 'warning', found: 'not known without the VM image' });
  });
});

describe('the capacity', () => {
  it.each([
    [4, 16, 'ok', /enough for Basic, Standard, Pro, Enterprise$/],
    [2, 8, 'ok', /enough for Basic, Standard; Pro, Enterprise would get less/],
    [1, 1, 'warning', /less than one VM of the smallest plan, Basic/],
  ])('of %i CPUs and %i GB is %s', async (cpus, gigabytes, status, found) => {
    expect(await checkCapacity({ cpus, memoryBytes: gigabytes * GIB })).toMatchObject({
      status,
      found: expect.stringMatching(found),
    });
  });
});

describe('the clock', () => {
  it('is compared with others’', () => {
    const now = Date.now();
    expect(judgeSkew('Telegram', now - 2_000, now)).toBeNull();
    expect(judgeSkew('Telegram', Number.NaN, now)).toBeNull();
    expect(judgeSkew('Telegram', now - 90_000, now)?.found).toBe('90 s ahead of Telegram');
    expect(judgeSkew('Telegram', now + 90_000, now)?.found).toBe('90 s behind Telegram');
  });

  it('cannot be right when the database was written later', async () => {
    await writeFile(join(folder, 'berth.db'), '');
    expect(await checkClock(folder, new Date().toISOString())).toMatchObject({ status: 'ok' });
    const later = Date.now() / 1_000 + 3_600;
    await utimes(join(folder, 'berth.db'), later, later);
    expect(await checkClock(folder, null)).toMatchObject({ status: 'warning' });
  });
});

describe('the data folder', () => {
  it('is nobody else’s to read', async () => {
    await chmod(folder, 0o700);
    expect(await checkDataDir(folder)).toMatchObject({ status: 'ok' });
    await chmod(folder, 0o755);
    expect(await checkDataDir(folder)).toMatchObject([{ status: 'warning', advice: `chmod 700 ${folder}` }]);
  });

  it('holds no file that others can read', async () => {
    await chmod(folder, 0o700);
    await writeFile(join(folder, 'berth.db'), '', { mode: 0o644 });
    await writeFile(join(folder, 'secret.key'), '', { mode: 0o600 });
    const advice = `chmod 600 ${join(folder, 'berth.db')}`;
    expect(await checkDataDir(folder)).toMatchObject([{ status: 'warning', advice }]);
  });

  it.each([
    ['C:\\134', '9p', 'a Windows drive'],
    ['drvfs', '9p', 'a Windows drive'],
    ['C:', 'drvfs', 'a Windows drive'],
    ['nas:/export', 'nfs4', 'a network share (nfs4)'],
    ['//nas/share', 'cifs', 'a network share (cifs)'],
    ['host0', 'virtiofs', 'a folder of another system (virtiofs)'],
    ['me@nas:', 'fuse.sshfs', 'a file system of a program (fuse.sshfs)'],
  ])('is not on %s (%s)', async (source, type, kind) => {
    const mounts = [
      '22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw',
      `40 22 0:50 / ${folder} rw,noatime shared:1 master:2 - ${type} ${source} rw,aname=drvfs`,
    ].join('\n');
    expect(await checkDataDir(join(folder, 'new/data'), mounts)).toMatchObject({
      status: 'failure',
      found: `${folder}/new/data is on ${kind}`,
      advice: expect.stringContaining('DATA_DIR'),
    });
  });

  it('may be on a local disk below a share, and beside one whose name begins alike', async () => {
    await chmod(folder, 0o700);
    const mounts = [
      `40 22 0:50 / ${tmpdir()} rw - nfs4 nas:/export rw`,
      `41 22 8:1 / ${folder} rw - ext4 /dev/sda1 rw`,
      `42 22 0:51 / ${folder.slice(0, -1)} rw - 9p drvfs rw`,
    ].join('\n');
    expect(await checkDataDir(folder, mounts)).toMatchObject({ status: 'ok' });
  });

  it('that is linked to is judged by where it really is', async () => {
    const link = join(folder, 'link');
    await mkdir(join(folder, 'share'));
    await symlink(join(folder, 'share'), link);
    const mounts = `40 22 0:50 / ${join(folder, 'share')} rw - nfs nas:/export rw`;
    expect(await checkDataDir(link, mounts)).toMatchObject({ status: 'failure' });
  });

  it('is a folder', async () => {
    await writeFile(join(folder, 'file'), '');
    expect(await checkDataDir(join(folder, 'file'))).toMatchObject({ status: 'failure' });
  });
});

describe('a port', () => {
  it('that another program has is a failure, also where that answers /healthz', async () => {
    const server = createServer((_request, response) => response.end('{"healthy":true}')).listen(
      0,
      '127.0.0.1',
    );
    await vi.waitFor(() => expect(server.listening).toBe(true));
    const { port } = server.address() as AddressInfo;
    expect(await checkPort('gateway', 'GATEWAY_PORT', { port, host: '127.0.0.1' })).toMatchObject({
      status: 'failure',
      advice: expect.stringContaining('GATEWAY_PORT'),
    });
    server.close();
  });

  it('on an address that this machine does not have is a failure', async () => {
    expect(await checkPort('gateway', 'GATEWAY_PORT', { port: 8080, host: '192.0.2.1' })).toMatchObject({
      status: 'failure',
      found: 'this machine has no address 192.0.2.1',
    });
  });
});

describe('the SSH ports', () => {
  const engine = createEngine('unix:///var/run/docker.sock');
  const look = (first: number, last: number, different = {}) =>
    checkSshPorts(engine, {
      range: { first, last },
      instance: 'test-nobody',
      bindAddress: '127.0.0.1',
      others: [],
      ...different,
    });

  it('may not hold the port of the gateway', async () => {
    expect(await look(8000, 8100, { others: [8080] })).toMatchObject({ status: 'failure' });
  });

  it('are looked through for those of other programs, on the address of the VMs', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await vi.waitFor(() => expect(server.listening).toBe(true));
    const { port } = server.address() as AddressInfo;
    const found = (address: string) => look(port, port, { bindAddress: address });
    expect((await found('127.0.0.1')).found).toContain(`${port} in use by another program`);
    expect((await found('0.0.0.0')).found).toContain(`${port} in use by another program`);
    expect((await found('127.0.0.2')).found).not.toContain('in use');
    server.close();
  });

  it('are best not among those that the kernel gives away', async () => {
    expect(await look(40_000, 40_001)).toMatchObject({ status: 'warning' });
  });
});

describe('Redis', () => {
  it('that does not tell its settings is named as that, and one that refuses the password as that', async () => {
    const port = await findFreePort();
    const server = execa(
      'redis-server',
      ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''].concat([
        '--requirepass',
        'right',
        '--rename-command',
        'CONFIG',
        '',
      ]),
      { reject: false },
    );
    const look = (password: string) => checkRedis(`redis://:${password}@127.0.0.1:${port}`);
    await vi.waitFor(async () => expect([await look('right')].flat()).toHaveLength(3), { timeout: 10_000 });
    const [version, policy, persistence] = [await look('right')].flat();
    expect(version).toMatchObject({ name: 'Redis', status: 'ok' });
    expect(policy).toMatchObject({ status: 'warning', found: 'the server does not say' });
    expect(persistence).toMatchObject({ status: 'warning' });
    const wrong = await look('wrong');
    expect(wrong).toMatchObject({ status: 'failure', found: expect.stringContaining('WRONGPASS') });
    expect(JSON.stringify(wrong)).not.toContain(':wrong@');
    server.kill('SIGKILL');
    await server;
  });
});

describe('Telegram', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());
  const answering = async (status: number, body: string, date?: string) => {
    server = createServer((_request, response) =>
      response.writeHead(status, date === undefined ? {} : { date }).end(body),
    ).listen(0, '127.0.0.1');
    await vi.waitFor(() => expect(server?.listening).toBe(true));
    return checkTelegram('1:secret', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  };
  const bot = JSON.stringify({ ok: true, result: { username: 'berth_bot' } });

  it('names the bot', async () => {
    expect(await answering(200, bot)).toEqual([{ name: 'Telegram', status: 'ok', found: '@berth_bot' }]);
  });

  it('tells the time as well', async () => {
    const [, clock] = await answering(200, bot, new Date(Date.now() + 300_000).toUTCString());
    expect(clock).toMatchObject({ name: 'clock', status: 'warning' });
  });

  it.each([
    [401, '{"ok":false}', 'failure', 'the token is not accepted'],
    [502, '{"ok":false}', 'warning', 'answers 502'],
    [200, '<html>log in to the hotel</html>', 'failure', 'does not answer as Telegram does'],
  ])('that answers %i with %s is a %s', async (status, body, expected, found) => {
    const findings = await answering(status, body);
    expect(findings).toMatchObject([{ status: expected, found: expect.stringContaining(found) }]);
    expect(JSON.stringify(findings)).not.toContain('secret');
  });
});
