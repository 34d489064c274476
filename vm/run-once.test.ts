import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type BareVm, startBareVm } from '../tests/support/bare-vm.ts';

/** The two programs in the VM that run a command at most once and end it whole. */

let vm: BareVm;
beforeAll(async () => {
  vm = await startBareVm();
});
afterAll(() => vm?.remove());

const folder = '/usr/local/lib/berth';
const run = (id: string, command: string, seconds = 60) =>
  vm.exec([`${folder}/run-once`, id, `${seconds}`, command]);
const end = (id: string) => vm.exec([`${folder}/end-exec`, id]);
const count = async (pattern: string): Promise<number> =>
  Number((await vm.exec(['pgrep', '-fc', '--', pattern])).stdout);
const started = (pattern: string, atLeast = 1) =>
  vi.waitFor(async () => expect(await count(pattern)).toBeGreaterThanOrEqual(atLeast), { timeout: 10_000 });

describe('run-once', () => {
  it('runs a command as dev, in dev’s surroundings and a session of its own, and gives its status', async () => {
    const script = 'echo $USER $HOME $PWD $SHELL $LANG; id -nG; ps -o sid= $$ | tr -d " "; echo $$; exit 7';
    const { exitCode, stdout } = await run(randomUUID(), script);
    const [surroundings, groups, session, pid] = stdout.split('\n');
    expect(exitCode).toBe(7);
    expect(surroundings).toBe('dev /home/dev /home/dev /bin/bash C.UTF-8');
    expect(groups).toBe('dev');
    expect(session).toBe(pid);
  });

  it.each([
    [`printf '%s|' "a b" 'c$d' "e\\"f" '\n' "\`echo g\`" '; exit 9' äö🐳`, 'a b|c$d|e"f|\n|g|; exit 9|äö🐳|'],
    [`echo "$(printf '\\x01\\xff')" | od -An -tx1 | tr -d ' \n'`, '01ff0a'],
    [`cat <<'END'\n$(nothing) \`here\` \\\\ "'\nEND`, `$(nothing) \`here\` \\\\ "'`],
    ['echo $0 $#', 'bash 0'],
  ])('takes no part in the reading of a command: %j', async (command, output) => {
    expect((await run(randomUUID(), command)).stdout).toBe(output);
  });

  it('keeps what a command prints and complains in the order in which it does', async () => {
    const command = 'for i in 1 2 3 4 5 6 7 8; do echo out$i; echo err$i >&2; done';
    const lines = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((i) => [`out${i}`, `err${i}`]);
    expect((await run(randomUUID(), command)).stdout.trim().split('\n')).toEqual(lines);
  });

  it('takes a command that begins with a dash for a command', async () => {
    expect(await run(randomUUID(), '--help')).toMatchObject({
      exitCode: 127,
      stdout: expect.stringContaining('--help: command not found'),
    });
  });

  it('runs it once, however often and however much at the same time it is asked to', async () => {
    const id = randomUUID();
    const runs = await Promise.all([1, 2, 3, 4].map(() => run(id, 'echo ran >> ~/ran; echo ran')));
    const refusal = { exitCode: 125, stdout: '', stderr: 'berth: this command was started before' };
    expect(runs.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1);
    expect(runs.filter(({ exitCode }) => exitCode !== 0)).toEqual([refusal, refusal, refusal]);
    await vm.restart();
    expect(await run(id, 'echo ran >> ~/ran')).toEqual(refusal);
    expect((await vm.exec(['cat', '/home/dev/ran'])).stdout).toBe('ran');
  });

  it('leaves what the command put into the background to live on', async () => {
    const id = randomUUID();
    const { stdout } = await run(id, 'nohup sleep 610 >/dev/null 2>&1 & echo over');
    expect(stdout).toBe('over');
    expect((await end(id)).exitCode).toBe(0);
    expect(await count('^sleep 610')).toBe(1);
    await vm.exec(['pkill', '-f', '^sleep 610']);
  });

  it('ends by itself, with all it started, when nobody ends it ten seconds after its time', async () => {
    const { exitCode } = await run(randomUUID(), 'trap "" TERM; setsid sleep 620 & sudo sleep 621', 1);
    expect(exitCode).toBe(124);
    expect(await count('^(sudo )?sleep 62')).toBe(0);
  });

  it('refuses an id that would be another file', async () => {
    expect((await run('../../../tmp/x', 'true')).exitCode).toBe(64);
    expect((await end('.')).exitCode).toBe(64);
  });

  it('forgets marks after a week', async () => {
    const marks = '/var/lib/berth/exec';
    await vm.exec([
      'sh',
      '-c',
      `cd ${marks}; touch -d "8 days ago" old; touch -d "6 days ago" young; touch -d "2 days ago" .pruned`,
    ]);
    await run(randomUUID(), 'true');
    expect((await vm.exec(['ls', marks])).stdout.split('\n')).toContain('young');
    expect((await vm.exec(['ls', marks])).stdout.split('\n')).not.toContain('old');
  });
});

describe('end-exec', () => {
  it('ends whatever ignores signals, leaves the session, forks twice, stops its parent or becomes root', async () => {
    const id = randomUUID();
    const running = run(
      id,
      'trap "" TERM INT HUP; setsid sleep 701 & (setsid setsid sleep 702 &); sudo setsid sleep 703 & kill -STOP $$',
    );
    await started('^sleep 70[123]', 3);
    expect((await end(id)).exitCode).toBe(0);
    expect((await running).exitCode).toBe(137);
    expect(await count('^(sudo )?(setsid )?sleep 70')).toBe(0);
  });

  it('lets nothing escape from a loop that gives birth all the time', async () => {
    const id = randomUUID();
    const running = run(id, 'while :; do (setsid sleep 711 &); done');
    await started('^sleep 711', 100);
    expect((await end(id)).exitCode).toBe(0);
    await running;
    expect(await count('^sleep 711')).toBe(0);
  });

  it('wakes a run-once that somebody stopped', async () => {
    const id = randomUUID();
    const running = run(id, 'sudo kill -STOP $PPID; sleep 721');
    await started('^sleep 721');
    expect((await end(id)).exitCode).toBe(0);
    expect((await running).exitCode).toBe(137);
  });

  it('is content with a command that has ended', async () => {
    const id = randomUUID();
    await run(id, 'true');
    expect((await end(id)).exitCode).toBe(0);
  });

  it('keeps a command from ever starting that has not started yet', async () => {
    const id = randomUUID();
    expect((await end(id)).exitCode).toBe(0);
    expect(await run(id, 'echo too late')).toMatchObject({ exitCode: 125, stdout: '' });
  });

  it('touches no other command', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    const first = run(one, 'sleep 731');
    const second = run(two, 'sleep 732');
    await started('^sleep 73[12]', 2);
    await end(one);
    expect((await first).exitCode).toBe(137);
    expect(await count('^sleep 732')).toBe(1);
    await end(two);
    await second;
  });
});
