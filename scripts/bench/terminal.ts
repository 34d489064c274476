import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { docker } from '../../tests/support/docker.ts';
import { startWithGateway } from '../../tests/support/gateway.ts';
import type { ServiceProcess } from '../../tests/support/service-process.ts';
import { compare, createFigures, table, toRow } from './figures.ts';
import { openSession, type Terminal } from './page-socket.ts';

/**
 * How fast the web terminal is, against a PTY of `docker exec` by dockerode alone:
 * `node scripts/bench/terminal.ts [--json] [--keys 100]`.
 */

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, keys: { type: 'string', default: '100' } },
});
const keys = Number(options.keys);
const windows = 8;
const bulkBytes = 100_000_000;
/** Milliseconds between two keys: somebody who types fast. */
const typing = 30;

const figures = createFigures();
const echo = figures.series('key → echo, web terminal', 'ms', '< 30');
const tmuxEcho = figures.series('key → echo, docker exec with tmux', 'ms');
const bareEcho = figures.series('key → echo, docker exec without', 'ms');
const bulk = figures.series('cat of 100 MB, web terminal', 's');
const bulkShown = figures.series('of which reach the page', 'MB');
const gatewayPeak = figures.series('memory: gateway, most during it', 'MB');
const workerPeak = figures.series('memory: worker, most during it', 'MB');
const gatewayEach = figures.series('memory: gateway, per open terminal', 'MB');
const workerEach = figures.series('memory: worker, per open terminal', 'MB');

const memoryMb = async ({ pid }: ServiceProcess, field: 'VmRSS' | 'VmHWM'): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1_024;
};

/** The same by dockerode alone, with a shell or with what the worker starts. */
const openDirectly = async (container: string, command: string[]): Promise<Terminal> => {
  const exec = await docker.getContainer(container).exec({
    Cmd: command,
    User: 'dev',
    WorkingDir: '/home/dev',
    Env: ['TERM=xterm-256color', 'LANG=C.UTF-8'],
    Tty: true,
    AttachStdin: true,
    AttachStdout: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
  return {
    write: (text) => void stream.write(text),
    until: (text) =>
      new Promise((resolve) => {
        let seen = '';
        const listener = (data: Buffer): void => {
          seen += data.toString('latin1');
          if (!seen.includes(text)) return;
          stream.off('data', listener);
          resolve(seen.length);
        };
        stream.on('data', listener);
      }),
    close: async () => void stream.destroy(),
  };
};

/** A shell that answers. */
const awake = async (terminal: Terminal): Promise<Terminal> => {
  const answered = terminal.until('awake-42');
  terminal.write("PS1='$ '; echo awake-$((40+2))\r");
  await answered;
  return terminal;
};

/** Each in turn, so that what else goes on here is fair to all of them. */
const typeInTurn = async (pairs: readonly (readonly [Terminal, (ms: number) => void])[]): Promise<void> => {
  for (let key = 0; key < keys; key += 1) {
    const letter = String.fromCharCode(97 + (key % 26));
    for (const [terminal, add] of pairs) {
      await pause(typing);
      const begun = performance.now();
      const echoed = terminal.until(letter);
      terminal.write(letter);
      await echoed;
      add(performance.now() - begun);
    }
  }
};

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const window = (index: number): string => `bench${String(index).padStart(8, '0')}`;

say('starting…');
const all = await startWithGateway();
try {
  const vm = await all.newVm('Bench', 'bench');
  const session = await openSession(await all.newLink(vm));
  const [gateway, worker] = [all.gateway(), all.berth.workers()[0]!];

  say('keys…');
  const tmux = ['tmux', '-u', 'new-session', '-A', '-s', 'bench', 'bash -l'];
  const terminals = await Promise.all([
    session.open(window(0)).then(awake),
    openDirectly(vm.container, tmux).then(awake),
    openDirectly(vm.container, ['bash', '-l']).then(awake),
  ]);
  await typeInTurn([
    [terminals[0], echo],
    [terminals[1], tmuxEcho],
    [terminals[2], bareEcho],
  ]);
  await Promise.all(terminals.slice(1).map((terminal) => terminal.close()));

  say('memory…');
  const before = [await memoryMb(gateway, 'VmRSS'), await memoryMb(worker, 'VmRSS')];
  const more: Terminal[] = [];
  for (let index = 1; index <= windows; index += 1) more.push(await awake(await session.open(window(index))));
  gatewayEach(((await memoryMb(gateway, 'VmRSS')) - before[0]!) / windows);
  workerEach(((await memoryMb(worker, 'VmRSS')) - before[1]!) / windows);
  await Promise.all(more.map((terminal) => terminal.close()));

  say('100 MB…');
  const [page] = terminals;
  const made = page.until('made-42');
  page.write(`\x15clear; base64 /dev/urandom | head -c ${bulkBytes} > big; echo made-$((40+2))\r`);
  await made;
  const begun = performance.now();
  const shown = page.until('shown-42');
  page.write('cat big; echo; echo shown-$((40+2))\r');
  bulkShown((await shown) / 1e6);
  bulk((performance.now() - begun) / 1_000);
  gatewayPeak(await memoryMb(gateway, 'VmHWM'));
  workerPeak(await memoryMb(worker, 'VmHWM'));
  await page.close();

  const comparisons = [
    compare('key → echo, against docker exec with tmux', echo.values, tmuxEcho.values),
    compare('key → echo, against docker exec without', echo.values, bareEcho.values),
  ];
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ rows: figures.all.map(toRow), comparisons }, null, 2)}\n`
      : `\n${table(figures.all, comparisons)}`,
  );
} finally {
  say('cleaning up…');
  await all.stop();
}
