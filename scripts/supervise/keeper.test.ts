import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Keeper, keep } from './keeper.ts';

/** Real processes, kept as `scripts/start` keeps Berth's own; each is a line of JavaScript. */

let folder: string;
let keepers: Keeper[];
let told: { text: string; at: number }[];
let logged: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-keeper-'));
  keepers = [];
  told = [];
  logged = '';
});
afterEach(async () => {
  await Promise.all(keepers.map((keeper) => keeper.stop(0)));
  await rm(folder, { recursive: true, force: true });
});

const keepScript = (script: string, command = process.execPath): Keeper => {
  const keeper = keep({
    name: 'child',
    command,
    args: ['-e', `const fs = require('node:fs'); ${script}`],
    env: { ...process.env, FOLDER: folder },
    isReady: (line) => line.includes('"msg":"ready"'),
    log: new Writable({
      write: (piece, _encoding, done) => {
        logged += piece;
        done();
      },
    }),
    tell: (text) => told.push({ text, at: performance.now() }),
  });
  keepers.push(keeper);
  keeper.ready.catch(() => undefined); // looked at by the tests that expect it
  return keeper;
};

const ready = `console.log(JSON.stringify({ level: 'info', msg: 'ready' }));`;
const live = 'setInterval(() => {}, 1000);';
const notePid = `fs.appendFileSync(process.env.FOLDER + '/pids', process.pid + '\\n');`;
const pids = async (): Promise<number[]> =>
  (await readFile(join(folder, 'pids'), 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number);
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const delays = () => told.flatMap(({ text }) => /started again in (\S+) s/.exec(text)?.slice(1) ?? []);

describe('a process that is kept', () => {
  it('is ready when it says so, and what it says goes to its log', async () => {
    await keepScript(`console.error('hello'); ${ready} ${live}`).ready;
    expect(logged).toContain('"msg":"ready"');
    await expect.poll(() => logged).toContain('hello\n');
    expect(told).toEqual([]);
  });

  it('shows its warnings and errors to the person in the foreground, as words', async () => {
    await keepScript(
      `console.log(JSON.stringify({ level: 'warn', msg: 'slow', err: { message: 'disk' } })); ${ready} ${live}`,
    ).ready;
    expect(told.map(({ text }) => text)).toEqual(['child: slow: disk']);
  });

  it('is started again when it dies, each time after twice the delay, and says when it runs', async () => {
    const keeper = keepScript(
      `${notePid} if (fs.readFileSync(process.env.FOLDER + '/pids', 'utf8').split('\\n').length <= 3) { ${ready} setTimeout(() => process.exit(3), 50); } else { ${ready} ${live} }`,
    );
    await keeper.ready;
    await vi.waitFor(() => expect(told.filter(({ text }) => text === 'child runs again')).toHaveLength(2), {
      timeout: 10_000,
    });
    expect(delays()).toEqual(['1', '2']);
    expect(told[0]?.text).toBe('child ended (status 3); it is started again in 1 s');
    const again = told.filter(({ text }) => /started again|runs again/.test(text)).map(({ at }) => at);
    expect(again[1]! - again[0]!).toBeGreaterThan(950);
    expect(again[3]! - again[2]!).toBeGreaterThan(1_950);
  });

  it('is started again although a process of its own keeps its output open', async () => {
    const keeper = keepScript(
      `${notePid} const { spawn } = require('node:child_process');
       const grandchild = spawn('sleep', ['30'], { stdio: 'inherit', detached: true });
       fs.appendFileSync(process.env.FOLDER + '/grandchildren', grandchild.pid + '\\n'); ${ready} ${live}`,
    );
    await keeper.ready;
    const [first] = await pids();
    process.kill(first!, 'SIGKILL');
    await vi.waitFor(async () => expect(await pids()).toHaveLength(2), { timeout: 10_000 });
    expect(delays()).toEqual(['1']);
    await keeper.stop(2_000);
    const grandchildren = await readFile(join(folder, 'grandchildren'), 'utf8');
    for (const pid of grandchildren.split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
  });

  it('is given up at once when its settings are wrong', async () => {
    const keeper = keepScript(
      `console.error('Wrong configuration:\\n  X: is missing'); ${notePid} process.exit(1);`,
    );
    await expect(keeper.ready).rejects.toThrow(
      /child ended with status 1:\nWrong configuration:\n {2}X: is missing/,
    );
    expect(await pids()).toHaveLength(1);
  });

  it('is given up when it dies three times before it was ever ready, with its last words', async () => {
    const keeper = keepScript(`${notePid} console.error('no disk'); process.exit(4);`);
    await expect(keeper.ready).rejects.toThrow(/status 4:\n(.*\n)*no disk/);
    expect(await pids()).toHaveLength(3);
  });

  it('is given up when there is no such program', async () => {
    await expect(keepScript('', '/no/such/program').ready).rejects.toThrow(/ENOENT/);
  });

  it('may end in its own time, and is not started again then', async () => {
    const keeper = keepScript(
      `${notePid} process.on('SIGTERM', () => { fs.writeFileSync(process.env.FOLDER + '/bye', 'x'); process.exit(0); }); ${ready} ${live}`,
    );
    await keeper.ready;
    await keeper.stop(10_000);
    expect(await readFile(join(folder, 'bye'), 'utf8')).toBe('x');
    expect((await pids()).filter(isAlive)).toEqual([]);
    expect(told).toEqual([]);
  });

  it('is killed when it does not end by its deadline', async () => {
    const keeper = keepScript(`${notePid} process.on('SIGTERM', () => {}); ${ready} ${live}`);
    await keeper.ready;
    const begun = performance.now();
    await keeper.stop(200);
    expect(performance.now() - begun).toBeGreaterThan(190);
    expect((await pids()).filter(isAlive)).toEqual([]);
  });

  it('is not waited for while it waits to be started again', async () => {
    const keeper = keepScript(`${ready} process.exitCode = 1;`);
    await keeper.ready;
    await vi.waitFor(() => expect(delays()).toEqual(['1']), { timeout: 5_000 });
    const begun = performance.now();
    await keeper.stop(10_000);
    expect(performance.now() - begun).toBeLessThan(500);
  });

  it('ends at once when it is told to by force', async () => {
    const keeper = keepScript(`${notePid} process.on('SIGTERM', () => {}); ${ready} ${live}`);
    await keeper.ready;
    const [pid] = await pids();
    keeper.kill();
    await expect.poll(() => isAlive(pid!)).toBe(false);
    expect(await pids()).toEqual([pid]);
  });

  it('has a channel that tells it of its keeper’s death', async () => {
    const keeper = keepScript(
      `process.on('disconnect', () => process.exit(0)); console.log(JSON.stringify({ level: 'info', msg: 'ready', linked: process.connected })); ${live}`,
    );
    await keeper.ready;
    expect(logged).toContain('"linked":true');
  });
});
