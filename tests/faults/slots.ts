import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type ServiceProcess, startProcess } from '../support/service-process.ts';
import type { Planner, Strike } from './plan.ts';
import type { Order, Record } from './strike.ts';

/** Keeps the processes of a run going: whoever dies is followed by the next of its slot, with the slot's next plan. */

export type Struck = { process: string; strike: Strike; name: string; at: number };

/** One process of a slot, living or dead. */
export type Life = {
  /** `worker 1.3`: the third in that slot. */
  readonly name: string;
  readonly strikes: readonly Strike[];
  readonly process: ServiceProcess;
  /** How it ended; undefined while it lives. */
  end: number | NodeJS.Signals | null | undefined;
  records(): Record[];
};

export type Slot = {
  readonly name: string;
  lives(): readonly Life[];
  current(): ServiceProcess | undefined;
  /** Stands still for so many milliseconds, unless it does so already. */
  standStill(ms: number): void;
  /** From now on nothing goes wrong in it any more. */
  calm(): void;
  end(): Promise<void>;
};

type Options = {
  name: string;
  script: string;
  env: NodeJS.ProcessEnv;
  planner: Planner;
  /** Where its processes' records and logs go. */
  folder: string;
};

const preload = join(import.meta.dirname, 'strike.ts');

/** One that cannot begin at all must not be started as fast as the machine can. */
const livesAtMost = 200;

/** Resolves when the process stands still, or is dead: woken before, it would stand still afterwards for ever. */
export const whenStopped = async (pid: number): Promise<void> => {
  for (;;) {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
    if (/^.*\) [TZ]/s.test(status)) return;
    await pause(5);
  }
};

const readRecords = (path: string): Record[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record);

export const keepSlot = ({ name, script, env, planner, folder }: Options): Slot => {
  const lives: Life[] = [];
  const waking = new Map<Life, NodeJS.Timeout>();
  let isCalm = false;
  let isEnding = false;

  const wake = (life: Life): void => {
    clearTimeout(waking.get(life));
    waking.delete(life);
    life.process.signal('SIGCONT');
  };
  const wakeLater = (life: Life, ms: number): void => {
    clearTimeout(waking.get(life));
    waking.set(
      life,
      setTimeout(() => wake(life), isCalm ? 0 : ms),
    );
  };

  const begin = (): Life => {
    const lifeName = `${name}.${lives.length + 1}`;
    const strikes = isCalm ? [] : planner.next();
    const record = join(folder, `${lifeName.replace(' ', '-')}.jsonl`);
    writeFileSync(record, '');
    const process = startProcess(lifeName, script, { ...env, ...strikingEnv(folder, lifeName, strikes) });
    const life: Life = {
      name: lifeName,
      strikes,
      process,
      end: undefined,
      records: () => readRecords(record),
    };
    process.onMessage((message) => {
      const { standstill } = message as { standstill?: number };
      if (standstill !== undefined)
        void whenStopped(life.process.pid).then(() => wakeLater(life, standstill));
    });
    lives.push(life);
    return life;
  };

  const keep = async (): Promise<void> => {
    while (!isEnding && lives.length < livesAtMost) {
      const life = begin();
      life.end = await life.process.exited;
      clearTimeout(waking.get(life));
      waking.delete(life);
      writeFileSync(join(folder, `${life.name.replace(' ', '-')}.log`), life.process.output());
    }
  };
  const kept = keep();

  return {
    name,
    lives: () => lives,
    current: () => (lives.at(-1)?.end === undefined ? lives.at(-1)?.process : undefined),
    standStill(ms) {
      const life = lives.at(-1);
      if (life === undefined || life.end !== undefined || waking.has(life)) return;
      life.process.signal('SIGSTOP');
      wakeLater(life, ms);
    },
    calm() {
      isCalm = true;
      for (const life of [...waking.keys()]) wake(life);
      lives.at(-1)?.process.send('calm');
    },
    async end() {
      isEnding = true;
      for (const life of [...waking.keys()]) wake(life);
      await this.current()?.end();
      await kept;
    },
  };
};

/** What was struck in all of them, in the order of time. */
export const struckIn = (slots: readonly Slot[]): Struck[] =>
  slots
    .flatMap((slot) => slot.lives())
    .flatMap((life) =>
      life
        .records()
        .flatMap((line) =>
          'struck' in line ? [{ process: life.name, strike: line.struck, name: line.name, at: line.at }] : [],
        ),
    )
    .sort((a, b) => a.at - b.at);

/** Failpoints that any process came by, whether something was planned there or not. */
export const reachedIn = (folder: string): Set<string> =>
  new Set(
    readdirSync(folder)
      .filter((file) => file.endsWith('.jsonl'))
      .flatMap((file) => readRecords(join(folder, file)))
      .flatMap((line) => ('reached' in line ? [line.reached] : [])),
  );

/** What makes a service record what it reaches, and strike as planned. */
export const strikingEnv = (folder: string, name: string, strikes: readonly Strike[]): NodeJS.ProcessEnv => {
  const record = join(folder, `${name.replace(' ', '-')}.jsonl`);
  const order: Order = { record, strikes: [...strikes] };
  return { NODE_OPTIONS: `--import=${preload}`, FAULT_PLAN: JSON.stringify(order) };
};
