import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { execa } from 'execa';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createPracticeServer, type PracticeServer } from '../services/practice/server.ts';
import { findLeaks, type Place, type Secret } from './support/disguises.ts';
import { docker, findContainers, removeEverythingOf } from './support/docker.ts';
import {
  dockerOf,
  everythingIn,
  filesIn,
  monitorRedis,
  processes,
  watchDocker,
} from './support/leak-places.ts';
import {
  type ChatMessage,
  connectPractice,
  type Participant,
  type PracticeClient,
} from './support/practice-client.ts';
import { findFreePort } from './support/redis.ts';
import { readAccess, ssh, sshWithKey } from './support/ssh.ts';
import { openShell, pressButton, sessionOf } from './support/terminal-socket.ts';

/**
 * A whole Berth as `./scripts/start` runs it, through everything that touches a secret; each secret is a canary, searched for
 * afterwards wherever it could lie, in many disguises. The steps build on each other.
 *
 * What is no leak, and left out: `.env`, which the operator wrote; `link.secret` and the password in Redis' own folder, which
 * are where those live; a person's own chat; and the text of a command of /exec in lists of processes, and in Docker's word
 * of its start, because that is how a command is run.
 */

const instance = `test-canary-${randomBytes(3).toString('hex')}`;
const canary = (name: string): string => `${name}-${randomBytes(16).toString('hex')}`;
const rot13 = (text: string): string =>
  text.replace(/[a-z]/g, (letter) => String.fromCharCode(((letter.charCodeAt(0) - 97 + 13) % 26) + 97));
/** So that what is printed does not stand in what is typed. */
const printing = (output: string): string => `echo ${rot13(output)} | tr a-z n-za-m`;

const token = `7000009:${randomBytes(18).toString('base64url')}`;
const settings = {
  SECRET_KEY: canary('master'),
  METRICS_TOKEN: canary('metrics'),
  CLOUDFLARE_TOKEN: canary('cloudflare'),
};
const command = { text: canary('cömmand "it\'s"'), failing: canary('failing'), late: canary('late') };
const output = { told: canary('told'), long: canary('long'), typed: canary('typed') };
const typed = canary('tapped');

let folder: string;
let dataDir: string;
let practice: PracticeServer;
let chat: PracticeClient;
let ada: Participant;
let eve: Participant;
let supervisor: ReturnType<typeof spawn>;
let said = '';
let gateway: string;
let redis: Redis;
let redisWatch: Awaited<ReturnType<typeof monitorRedis>>;
let dockerWatch: Awaited<ReturnType<typeof watchDocker>>;

const administratorId = 4001;
const known: Secret[] = [];
/** Those that may be seen in lists of processes. */
const commandTexts = ['the text of a command', 'the text of a failing command', 'the text of a late command'];
/** What was seen on the way: pages, and processes at each of Docker's events. */
const seen: Place[] = [];
const learn = (name: string, text: string): void => {
  known.push({ name, text });
};
const says =
  (part: string) =>
  ({ text, fromBot }: ChatMessage): boolean =>
    fromBot && text.includes(part);
const patient = { timeoutMs: 60_000 };
const ended = ({ text, fromBot }: ChatMessage): boolean =>
  fromBot && /exit code|✅|❌|time limit|⏱|not/.test(text);

const processPlaces = () => processes({ except: [supervisor.pid!] });

/** Everything that can be looked into at this moment, and was seen on the way. */
const gather = async (): Promise<Place[]> => {
  const others = [eve.id, administratorId].flatMap((id) => chat.messages(id));
  return [
    ...(await filesIn(dataDir)),
    ...(await everythingIn(redis)),
    ...(await dockerOf(instance)),
    ...(await processPlaces()),
    ...(await dockerWatch.take()),
    redisWatch.place(),
    { place: 'what the supervisor said', bytes: Buffer.from(said) },
    { place: 'the chats of others', bytes: Buffer.from(JSON.stringify(others)) },
    ...seen,
  ];
};

const isAllowed = (leak: string): boolean =>
  (commandTexts.some((name) => leak.startsWith(name)) &&
    /in (docker events: exec_|arguments of )/.test(leak)) ||
  leak.startsWith(`the link secret in ${dataDir}/link.secret`) ||
  leak.startsWith(`the password of Redis in ${dataDir}/redis/`);

const leaks = async (): Promise<string[]> =>
  findLeaks(known, await gather()).filter((leak) => !isAllowed(leak));

const visit = async (path: string, init: RequestInit = {}): Promise<string> => {
  const answer = await fetch(`${gateway}${path}`, init);
  const text = await answer.text();
  seen.push({ place: `page ${path.slice(0, 40)}`, bytes: Buffer.from(text) });
  return text;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), `${instance}-`));
  dataDir = join(folder, 'data');
  practice = createPracticeServer({ token, administratorId, log: pino({ level: 'silent' }) });
  const root = await practice.listen(0);
  chat = await connectPractice(root);
  const gatewayPort = await findFreePort();
  gateway = `http://127.0.0.1:${gatewayPort}`;
  const first = 23_000 + Math.floor(Math.random() * 90) * 100;
  const env = {
    ...settings,
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_API_ROOT: root,
    ADMIN_USER_ID: String(administratorId),
    INSTANCE: instance,
    DATA_DIR: dataDir,
    GATEWAY_PORT: String(gatewayPort),
    TUNNEL: 'off',
    SSH_PORT_RANGE: `${first}-${first + 99}`,
    WORKERS: '1',
    EXEC_TIMEOUT: '4',
    LOG_LEVEL: 'trace',
    VM_BASE_IMAGE: process.env.VM_BASE_IMAGE ?? '',
  };
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(folder, '.env'), lines.join('\n'));
  const main = join(import.meta.dirname, '../scripts/supervise/main.ts');
  supervisor = spawn(process.execPath, [main], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [supervisor.stdout!, supervisor.stderr!]) {
    stream.on('data', (piece) => {
      said += piece;
    });
  }
  await vi.waitFor(() => expect(said).toMatch(/Berth is ready|Wrong configuration/), {
    timeout: 60_000,
    interval: 50,
  });
  expect(said).toContain('Berth is ready');

  const { port, password } = JSON.parse(await readFile(join(dataDir, 'redis/berth.json'), 'utf8'));
  const redisUrl = `redis://:${password}@127.0.0.1:${port}`;
  redis = new Redis(redisUrl);
  redisWatch = await monitorRedis(redisUrl);
  dockerWatch = await watchDocker(instance, { except: [supervisor.pid!] });
  for (const [name, text] of Object.entries(settings)) learn(name, text);
  learn('the bot’s token', token.split(':')[1]!);
  learn('the link secret', (await readFile(join(dataDir, 'link.secret'), 'utf8')).trim());
  learn('the password of Redis', password);

  const admin = chat.person(administratorId);
  for (const [id, firstName] of [
    [50_001, 'Ada'],
    [50_002, 'Eve'],
  ] as const) {
    await chat.addPerson({ firstName, id });
    await chat.person(id).ask('/start');
    await admin.ask(`/allow_user ${id} 1`, says(`${id}`));
  }
  ada = chat.person(50_001);
  eve = chat.person(50_002);
});
afterAll(async () => {
  dockerWatch?.stop();
  redisWatch?.stop();
  redis?.disconnect();
  if (supervisor?.exitCode === null) {
    const exited = new Promise((resolve) => supervisor.once('exit', resolve));
    supervisor.kill('SIGTERM');
    await exited;
  }
  chat?.close();
  await practice?.close();
  await removeEverythingOf(instance);
  await rm(folder, { recursive: true, force: true });
});

type Access = ReturnType<typeof readAccess>;
let access: Access;
let container: string;

const hashOf = async (): Promise<string> => (await ssh(access, 'sudo getent shadow dev')).split(':')[1]!;

/** A piece of everything that is sealed for the VM, its key included, as it lies in the database; tickets are no VM's. */
const readSealed = (): Buffer[] => {
  const database = new Sqlite(join(dataDir, 'berth.db'), { readonly: true });
  const rows = database
    .prepare(
      `select wrapped_key as bytes from vm_keys where vm_id not like 'link-%'
       union all select sealed from sealed_values where vm_id not like 'link-%'`,
    )
    .all() as { bytes: Buffer }[];
  database.close();
  return rows.map(({ bytes }) => bytes.subarray(4, 40));
};

describe('a life of a VM', () => {
  it('begins with a password, and gets another', async () => {
    access = readAccess(await ada.ask('/create box', says('box is running'), patient));
    learn('the first password', access.password);
    learn('its hash', await hashOf());
    container = (await findContainers(instance))[0]!.Id;
    access = readAccess(await ada.ask('/password', says('has a new password'), patient));
    learn('the second password', access.password);
    learn('the hash of the second', await hashOf());
    learn(
      'the host’s private key',
      (await ssh(access, 'sudo cat /etc/ssh/ssh_host_ed25519_key')).split('\n')[2]!,
    );
    expect(await leaks()).toEqual([]);
  }, 90_000);

  it('is entered with a key, whose secret half somebody sends to the chat', async () => {
    const key = join(folder, 'id_ed25519');
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const [secretHalf, publicHalf] = await Promise.all([
      readFile(key, 'utf8'),
      readFile(`${key}.pub`, 'utf8'),
    ]);
    for (const line of secretHalf.split('\n').slice(1, 4)) learn('a private key', line);
    await ada.ask(`/ssh_key ${publicHalf}`, says('box'), patient);
    await vi.waitFor(async () => expect(await sshWithKey(access, key, 'whoami')).toBe('dev'), 20_000);
    await ada.ask(secretHalf, says('private'), patient);
    expect(await leaks()).toEqual([]);
  }, 90_000);

  it('runs commands, whose text and output are between it and its owner', async () => {
    learn('the text of a command', command.text);
    learn('the output of a command', output.told);
    learn('a line of long output', output.long);
    await ada.ask(
      `/exec ${printing(output.told)}; : '${command.text.replaceAll("'", '')}'`,
      says(output.told),
      patient,
    );
    learn('the text of a command', command.text.replaceAll("'", ''));
    // Grows in the message as it runs, and is long enough to be a file, and many pages of the database.
    const lines = `for i in $(seq 3000); do ${printing(output.long)}; [ $i = 5 ] && sleep 1.5; done`;
    await ada.ask(
      `/exec for i in 1 2 3; do ${printing(output.long)}; sleep 0.7; done`,
      says('exit code'),
      patient,
    );
    await ada.ask(
      `/exec x=$(${printing(output.long)}); ${lines.replace(printing(output.long), 'echo $x')}`,
      says('as a file'),
      patient,
    );
    expect(await leaks()).toEqual([]);
  }, 90_000);

  it('fails in many ways, each told without a secret', async () => {
    learn('the text of a failing command', command.failing);
    await ada.ask(
      `/exec ${printing(output.told)}; : ${command.failing}; exit 3`,
      says('xit code 3'),
      patient,
    );
    await ada.ask(`/exec : ${command.failing}; sleep 60`, says('time limit'), patient);
    const program = '/usr/local/lib/berth/run-once';
    await ssh(access, `sudo mv ${program} ${program}.away`);
    const failed = await ada.ask(`/exec : ${command.failing}; false`, says('xit code 126'), patient);
    expect(failed.text).not.toContain(access.password);
    await ssh(access, `sudo mv ${program}.away ${program}`);
    await ada.ask('/stop', says('box is stopped'), patient);
    await ada.ask(`/exec : ${command.failing}`, ended, patient);
    const squatter = createServer().listen(access.port, '127.0.0.1');
    await ada.ask('/start_vm', says('❌'), patient);
    await new Promise((resolve) => squatter.close(resolve));
    await ada.ask('/start_vm', says('box is running'), patient);
    expect(await leaks()).toEqual([]);
  }, 120_000);

  it('is used in a terminal, and watched on the dashboard', async () => {
    learn('what is typed in a terminal', typed);
    learn('what a terminal shows', output.typed);
    const offered = await ada.ask('/web_terminal', says('opens once'), patient);
    const link = /http:\S+\/t\/\S+/.exec(offered.text)![0];
    learn('the ticket of a terminal', link.split('/t/')[1]!);
    await visit(new URL(link).pathname);
    const terminal = await openShell(link);
    terminal.send(`: ${typed}; ${printing(output.typed)}\n`);
    await terminal.waitFor(({ output: shown }) => shown.includes(output.typed));
    seen.push(...(await processPlaces()));

    const admin = chat.person(administratorId);
    const dashboard = /http:\S+\/d\/\S+/.exec((await admin.ask('/dashboard', says('/d/'), patient)).text)![0];
    const pressed = await pressButton(dashboard);
    const { cookie } = sessionOf(dashboard, pressed);
    const headers = { cookie, origin: gateway };
    const { queues } = JSON.parse(await visit('/queues/api/queues', { headers })) as {
      queues: { name: string }[];
    };
    for (const { name } of queues) {
      const list = `/queues/api/queues?activeQueue=${name}&status=latest&page=1&jobsPerPage=100`;
      const answer = JSON.parse(await visit(list, { headers })) as {
        queues: { name: string; jobs: { id: string }[] }[];
      };
      for (const { id } of answer.queues.find((queue) => queue.name === name)?.jobs ?? []) {
        await visit(`/queues/api/queues/${name}/${id}`, { headers });
        await visit(`/queues/api/queues/${name}/${id}/logs`, { headers });
      }
    }
    await visit('/metrics', { headers: { authorization: `Bearer ${settings.METRICS_TOKEN}` } });
    await visit('/readyz');
    learn('the session of a dashboard', cookie.split('=')[1]!);
    terminal.socket.close();
    await terminal.closed;
    expect(seen.length).toBeGreaterThan(30);
    expect(await leaks()).toEqual([]);
  }, 90_000);

  it('is told of to others without its secrets, and outlives the bot, worker and a backup', async () => {
    const admin = chat.person(administratorId);
    for (const text of ['/admin_info', '/audit', `/audit ${ada.id}`, '/list_allowed']) await admin.ask(text);
    await eve.ask('/status');
    await eve.ask('/status box');
    const children = await readFile(`/proc/${supervisor.pid}/task/${supervisor.pid}/children`, 'utf8');
    for (const pid of children.trim().split(' ').map(Number)) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8');
      if (/services\/(bot|worker)/.test(line)) process.kill(pid, 'SIGKILL');
    }
    await vi.waitFor(() => expect(said).toMatch(/bot runs again[\s\S]*|worker-1 runs again/), 30_000);
    expect(readAccess(await ada.ask('/status', says('ssh -p'), patient))).toEqual(access);
    await ada.ask('/restart', says('running again'), patient);
    await execa(process.execPath, [join(import.meta.dirname, '../scripts/backup.ts')], { cwd: folder });
    expect(await leaks()).toEqual([]);
  }, 120_000);

  it('shows its password in its owner’s chat alone, as code that has to be touched', async () => {
    const passwords = known.filter(({ name }) => name.endsWith('password'));
    expect(passwords).toHaveLength(2);
    for (const { text: password } of passwords) {
      const holders = ada.messages().filter(({ text }) => text.includes(password));
      // A message that is made anew shows the password of then: the one before may be gone from the chat.
      if (password === access.password) expect(holders.length).toBeGreaterThan(0);
      for (const { text, entities } of holders) {
        const at = text.indexOf(password);
        const around = entities.filter(({ offset, length }) => offset <= at && offset + length > at);
        expect(around.map(({ type }) => type)).toEqual(
          expect.arrayContaining(['code', 'expandable_blockquote']),
        );
      }
    }
  });

  it('ends, and nothing of it can be read any more, with all keys at hand', async () => {
    const sealed = readSealed();
    expect(sealed.length).toBeGreaterThan(5);
    const traces = async (): Promise<string[]> => {
      const files = (await filesIn(dataDir)).filter(({ place }) => !place.includes('/backups/'));
      const lying = files.filter(({ bytes }) => sealed.some((one) => bytes.includes(one)));
      const passing = files.filter(({ bytes }) => bytes.includes(`${instance}:private:`));
      return [...lying, ...passing].map(({ place }) => place);
    };
    expect(await traces()).not.toEqual([]);
    const asked = await ada.ask('/destroy', says('box'), patient);
    await ada.press(asked, asked.buttons.flat()[0]!.text);
    await ada.waitForMessage(says('box is destroyed'), patient);
    expect(await leaks()).toEqual([]);
    await vi.waitFor(async () => expect(await traces()).toEqual([]), { timeout: 20_000, interval: 250 });
  }, 60_000);
});

describe('the search', () => {
  const planted = (): Secret => known.find(({ name }) => name === 'the second password')!;
  const finds = async (place: RegExp) => expect((await leaks()).join('\n')).toMatch(place);

  it.each(['logs/bot.log', 'backups/old.db', 'redis/dump.rdb', 'berth.db-journal'])(
    'finds what was planted in %s',
    async (name) => {
      const path = join(dataDir, name);
      const before = await readFile(path).catch(() => null);
      onTestFinished(async () => (before === null ? rm(path) : writeFile(path, before)));
      await mkdir(join(path, '..'), { recursive: true });
      await appendFile(path, Buffer.from(`x${planted().text}`).toString('base64'));
      await finds(new RegExp(`^the second password in .*${name}, in base64$`, 'm'));
    },
  );

  it('finds it in every kind of value in Redis, and in what only passes it', async () => {
    const { text } = planted();
    const keys = ['hash', 'list', 'set', 'zset', 'stream', 'string'].map((kind) => `planted:${kind}`);
    onTestFinished(async () => void (await redis.del(...keys)));
    await redis.hset('planted:hash', { data: JSON.stringify({ text }) });
    await redis.rpush('planted:list', text);
    await redis.sadd('planted:set', Buffer.from(text).toString('hex'));
    await redis.zadd('planted:zset', 1, text);
    await redis.xadd('planted:stream', '*', 'data', text);
    await redis.set('planted:string', Buffer.from(text, 'utf16le'));
    await redis.publish('nobody', text);
    for (const key of keys) await finds(new RegExp(`the second password in Redis, ${key}`));
    await vi.waitFor(() => finds(/the second password in what passed Redis/), 5_000);
  });

  it('finds it among processes, and in what Docker tells', async () => {
    const { text } = planted();
    // One that is not of this test's own: it is left by the one that started it.
    const starter = spawn('sh', ['-c', 'exec setsid sh -c "sleep 30; : $PLANTED" >&2 & echo $!'], {
      env: { PATH: process.env.PATH, PLANTED: text },
    });
    const sleeper = Number((await once(starter.stdout, 'data'))[0]);
    onTestFinished(() => void process.kill(sleeper, 'SIGKILL'));
    await vi.waitFor(() => finds(/in arguments of process/), 5_000);
    await finds(/in environment of process/);
    await docker.createVolume({
      Name: `${instance}-planted`,
      Labels: { 'berth.instance': instance, planted: text },
    });
    await finds(/in docker inspect/);
    await docker.getVolume(`${instance}-planted`).remove();
    expect(container).toMatch(/^[0-9a-f]{64}$/);
  });

  it('finds it in the chat of another, and on a page', async () => {
    const { text } = planted();
    await eve.send(`is it ${text}?`);
    await finds(/in the chats of others/);
    seen.push({ place: 'a page', bytes: Buffer.from(encodeURIComponent(text)) });
    await finds(/in a page/);
  });
});
