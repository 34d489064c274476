import { setTimeout as pause } from 'node:timers/promises';
import { withDeadline } from '../../shared/lifecycle.ts';
import { docker, removeEverythingOf } from '../../tests/support/docker.ts';
import { startWithGateway, type Vm, type WithGateway } from '../../tests/support/gateway.ts';
import { coresDuring, forgetPeak, memoryMb, type Usage } from './consumption.ts';
import { vmImage } from './creations.ts';
import { type Comparison, compare, type Figures, median } from './figures.ts';
import { createOutput } from './output.ts';
import { openSession, type Session, type Terminal } from './page-socket.ts';

/**
 * How fast the web terminal is, against a PTY of `docker exec` by dockerode alone: with the same tmux in it, which is
 * what the terminal could be at best, and without. It has a Berth of its own, with a gateway and three VMs.
 */

/** Open at once, over several VMs and sessions: a session has ten windows at most, a VM twenty. */
const mostOpen = 50;
const windowsEach = 9;
const vms = 3;
const bulkBytes = 100_000_000;
/** Each takes half a minute on a busy machine, and varies little on an idle one. */
const bulkRounds = 2;
/** Keys a round. Milliseconds between two keys: somebody who types fast. */
const keys = 10;
const typing = 30;
/** Milliseconds for anything that a terminal should say. */
const patience = 60_000;
const ports = '20900-20999';

type Add = (value: number) => void;
type Way = { terminal: Terminal; idle: Add; crowded: Add; bulk: Add };
type OnEnd = (name: string, release: () => Promise<unknown>, deadline?: number) => void;

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
  await exec.resize({ w: 120, h: 40 });
  const output = createOutput();
  stream.on('data', output.take);
  return {
    write: (text) => void stream.write(text),
    until: output.until,
    close: async () => void stream.destroy(),
  };
};

/** Without a status line, as the worker has it. */
const plainTmux = [
  'tmux',
  '-u',
  '-f',
  '/dev/null',
  'new-session',
  '-s',
  'bench',
  ';',
  'set',
  'status',
  'off',
];

/** Writes, and waits for what it leads to; gives the bytes until then. */
const say = async (terminal: Terminal, text: string, until: string): Promise<number> => {
  const seen = terminal.until(until);
  terminal.write(text);
  return await withDeadline(seen, patience, `a terminal that should say ${until}`);
};

/** A shell that answers. */
const awake = async (terminal: Terminal): Promise<Terminal> => {
  await say(terminal, "PS1='$ '; echo awake-$((40+2))\r", 'awake-42');
  return terminal;
};

/** Each first in turn, so that what else goes on here is fair to all of them. */
const rotated = <T>(all: readonly T[], turn: number): T[] => [
  ...all.slice(turn % all.length),
  ...all.slice(0, turn % all.length),
];

const timeKeys = async (
  ways: readonly Way[],
  load: 'idle' | 'crowded',
  rounds: number,
  signal: AbortSignal,
) => {
  for (let round = 0; round < rounds; round += 1) {
    signal.throwIfAborted();
    // The line is begun anew: at its end an echo is more than a letter.
    for (const { terminal } of ways) await say(terminal, '\x15\recho new-$((40+2))\r', 'new-42');
    for (let key = 0; key < keys; key += 1) {
      const letter = String.fromCharCode(97 + ((round * keys + key) % 26));
      for (const way of rotated(ways, key)) {
        await pause(typing);
        const begun = performance.now();
        await say(way.terminal, letter, letter);
        way[load](performance.now() - begun);
      }
    }
  }
};

const windowId = (index: number): string => `bench${String(index).padStart(8, '0')}`;

/** As many as are missing, a session after another, each VM's in turn. */
const openMore = async (all: WithGateway, where: readonly Vm[], count: number): Promise<Terminal[]> => {
  const opened: Terminal[] = [];
  let session: Session | undefined;
  for (let index = 0; index < count; index += 1) {
    if (index % windowsEach === 0)
      session = await openSession(await all.newLink(where[(index / windowsEach) % where.length]!));
    opened.push(await awake(await session!.open(windowId(index))));
  }
  return opened;
};

const startAll = async (onEnd: OnEnd): Promise<WithGateway & { stopOnce(): Promise<void> }> => {
  const starting = startWithGateway({
    env: { SSH_PORT_RANGE: ports, LOG_LEVEL: 'info', VM_IMAGE: vmImage },
  });
  let stopped: Promise<void> | undefined;
  const stopOnce = () =>
    (stopped ??= starting.then(
      async (all) => {
        await all.stop();
        // A creation that was under way can come to its end after the first look.
        await removeEverythingOf(all.berth.instance);
      },
      () => {}, // it has tidied up behind itself, and its error is thrown below
    ));
  onEnd('terminals', stopOnce, 120_000);
  return { ...(await starting), stopOnce };
};

/** Seconds that the same takes in the web terminal, with tmux alone, and without. */
const whatLimits = ([web, tmux, bare]: number[]): string => {
  const share = (seconds: number): number => Math.round((100 * seconds) / web!);
  const larger = share(tmux!) < 50 ? 'the way from the VM to the page' : 'tmux in the VM';
  return (
    `cat of 100 MB: ${share(tmux!)} % of the web terminal’s time goes by with tmux alone, ` +
    `${share(bare!)} % without: the larger part is ${larger}`
  );
};

/** Times, memory and throughput; gives the comparisons, and a sentence on what the throughput is limited by. */
export const measureTerminals = async (
  figures: Figures,
  rounds: number,
  onEnd: OnEnd,
  signal: AbortSignal,
): Promise<{ comparisons: Comparison[]; notes: string[] }> => {
  const names = ['web terminal', 'docker exec with tmux', 'docker exec without'];
  const series = (what: string, unit: string) =>
    names.map((name, index) =>
      figures.series(`${what}, ${name}`, unit, unit === 'ms' && index === 0 ? '< 30' : undefined),
    );
  const [idle, crowded] = [series('key → echo', 'ms'), series(`key → echo with ${mostOpen} open`, 'ms')];
  const gatewayEach = figures.series('memory: gateway, per open terminal', 'MB');
  const workerEach = figures.series('memory: worker, per open terminal', 'MB');
  const bulk = series('cat of 100 MB', 's');
  const shown = figures.series('of which reach the page', 'MB');
  const gatewayPeak = figures.series('memory: gateway, most during it', 'MB');
  const workerPeak = figures.series('memory: worker, most during it', 'MB');

  const all = await startAll(onEnd);
  const where: Vm[] = [];
  for (let index = 0; index < vms; index += 1) where.push(await all.newVm(`Bench${index}`, `bench${index}`));
  const [{ container }] = where as [Vm];
  const [gateway, worker] = [all.gateway(), all.berth.workers()[0]!];
  const session = await openSession(await all.newLink(where[0]!));
  const terminals = await Promise.all(
    [
      session.open(windowId(0)),
      openDirectly(container, plainTmux),
      openDirectly(container, ['bash', '-l']),
    ].map(async (opening) => awake(await opening)),
  );
  const ways = terminals.map(
    (terminal, index): Way => ({
      terminal,
      idle: idle[index]!,
      crowded: crowded[index]!,
      bulk: bulk[index]!,
    }),
  );
  await timeKeys(ways, 'idle', rounds, signal);

  const before = [await memoryMb(gateway, 'VmRSS'), await memoryMb(worker, 'VmRSS')];
  const others = await openMore(all, where, mostOpen - 1);
  gatewayEach(((await memoryMb(gateway, 'VmRSS')) - before[0]!) / others.length);
  workerEach(((await memoryMb(worker, 'VmRSS')) - before[1]!) / others.length);
  await timeKeys(ways, 'crowded', rounds, signal);
  await Promise.all(others.map((terminal) => terminal.close()));

  await say(
    terminals[0]!,
    `\x15clear; base64 /dev/urandom | head -c ${bulkBytes} > big; echo made-$((40+2))\r`,
    'made-42',
  );
  await Promise.all([gateway, worker].map(forgetPeak));
  const usages: Usage[] = [];
  for (let round = 0; round < Math.min(bulkRounds, rounds); round += 1) {
    for (const way of rotated(ways, round)) {
      signal.throwIfAborted();
      const cat = async (): Promise<number> => {
        const begun = performance.now();
        const bytes = await say(way.terminal, '\x15cat big; echo; echo shown-$((40+2))\r', 'shown-42');
        way.bulk((performance.now() - begun) / 1_000);
        return bytes;
      };
      if (way !== ways[0]) {
        await cat();
        continue;
      }
      const { value, usage } = await coresDuring({ container, gateway, worker }, cat);
      shown(value / 1e6);
      usages.push(usage);
    }
  }
  gatewayPeak(await memoryMb(gateway, 'VmHWM'));
  workerPeak(await memoryMb(worker, 'VmHWM'));
  await all.stopOnce();

  const against = (what: string, [web, tmux, bare]: { values: number[] }[]) => [
    compare(`${what}, against docker exec with tmux`, web!.values, tmux!.values),
    compare(`${what}, against docker exec without`, web!.values, bare!.values),
  ];
  const cores = (part: keyof Usage): string => median(usages.map((usage) => usage[part])).toFixed(2);
  return {
    comparisons: [
      ...against('key → echo', idle),
      ...against(`key → echo with ${mostOpen} open`, crowded),
      ...against('cat of 100 MB', bulk),
    ],
    notes: [
      whatLimits(bulk.map(({ values }) => median(values))),
      `during the web terminal’s cat: ${cores('vm')} cores in the VM (of 1 that it may have), ` +
        `${cores('worker')} in the worker, ${cores('gateway')} in the gateway`,
    ],
  };
};
