import { appendFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type Docker from 'dockerode';
import { startDockerProxy } from '../../services/worker/testing/docker-proxy.ts';
import { type Berth, startBerth } from '../support/berth.ts';
import { docker as machinesDocker } from '../support/docker.ts';
import type { Participant } from '../support/practice-client.ts';
import type { SecondEngine } from '../support/second-engine.ts';
import { watchContainers } from './container-watch.ts';
import { disasters, type World } from './disasters.ts';
import { type Evidence, readHost, readMarks, readStored } from './evidence.ts';
import { invariants } from './invariants/index.ts';
import type { Finding } from './invariants/invariant.ts';
import { findKnownPoints } from './known-points.ts';
import { administrator, type Behaviour, live, ownerOf } from './people.ts';
import { createPlanner } from './plan.ts';
import { createRandom } from './random.ts';
import { findDifferences } from './replayed.ts';
import { findSecrets, passwordsIn } from './secrets.ts';
import { findUnsettled } from './settling.ts';
import { sleepThroughRemoval } from './sleeper.ts';
import { keepSlot, reachedIn, type Slot, type Struck, strikingEnv, struckIn } from './slots.ts';
import { goOnTour } from './tour.ts';

/**
 * One run: a whole Berth of real processes whose failpoints strike as the seed says, people who do random things, and
 * disasters around them. Then everything calms down, and what is left is judged.
 */

export type Broken = Finding & { invariant: string };
export type Outcome = {
  seed: number;
  broken: Broken[];
  struck: Struck[];
  reached: Set<string>;
  disasters: string[];
  /** What became of all the doing, for people to read. */
  figures: Record<string, number>;
  evidence: Evidence;
  /** Logs and records of every process; kept where something broke. */
  folder: string;
};

export type RunOptions = {
  seed: number;
  /** Milliseconds of trouble. */
  troubleMs: number;
  /** Milliseconds within which everything has to be well again afterwards. */
  settleMs: number;
  engine?: SecondEngine;
  /** Ends the run early, and cleans up as always. */
  leaving?: AbortSignal;
  /** What happens before the trouble: somebody goes through everything, or sleeps through it. */
  prologue?: 'tour' | 'sleeper';
  say?: (line: string) => void;
};

const workers = 2;
/** Milliseconds between two things that a person or an administrator does, and two disasters; on average. */
const humanPace = 2_500;
const administratorPace = 7_000;
const disasterPace = 5_000;

const addPeople = async (berth: Berth): Promise<{ person: Participant; behaviour: Behaviour }[]> => {
  await berth.admin.ask('/config_plan 3 max_vms 2');
  const owners: { person: Participant; behaviour: Behaviour }[] = [];
  for (const name of ['ann', 'ben', 'cat', 'eve', 'fay']) {
    owners.push({ person: await berth.newUser(name), behaviour: ownerOf(name) });
  }
  const dan = await berth.newUser('dan', 3);
  owners.push({ person: dan, behaviour: [...ownerOf('dan'), ...ownerOf('dot')] });
  const ids = owners.map(({ person }) => person.id);
  return [...owners, { person: berth.admin, behaviour: administrator(ids) }];
};

const playPrologue = async (berth: Berth, person: Participant, { seed, prologue }: RunOptions) => {
  if (prologue === 'tour') await goOnTour(berth, person, createRandom(seed, 'tour'));
  if (prologue === 'sleeper') await sleepThroughRemoval(berth, person, 'docker: creating the volume');
};

const strikeNow = async (world: World, seed: number, note: (line: string) => void): Promise<string[]> => {
  const random = createRandom(seed, 'disasters');
  const names: string[] = [];
  let deck: (typeof disasters)[number][] = [];
  while (!world.signal.aborted) {
    await pause(disasterPace * (0.5 + random.next()), undefined, { signal: world.signal }).catch(
      () => undefined,
    );
    if (world.signal.aborted) break;
    if (deck.length === 0) deck = random.shuffle(disasters.filter(({ suits }) => suits?.(world) ?? true));
    const disaster = deck.pop()!;
    names.push(disaster.name);
    note(disaster.name);
    await disaster.strike(world, random);
  }
  return names;
};

const gather = async (
  world: World,
  docker: Docker,
  watch: { events(): Evidence['containerEvents'] },
): Promise<Evidence> => {
  const { berth, slots, people, counts } = world;
  const [stored, host, updates, calls] = await Promise.all([
    readStored(berth.dataDir),
    readHost(docker, berth.instance),
    berth.chat.updates(),
    berth.chat.calls(),
  ]);
  const marks = await Promise.all(
    host.containers.map(
      async ({ id, vmId }): Promise<[string, string[]]> => [vmId, await readMarks(docker, id)],
    ),
  );
  return {
    stored,
    host,
    slots,
    containerEvents: watch.events(),
    chats: new Map(people.map((person) => [person.chatId, person.messages()])),
    marks: new Map(marks),
    struck: struckIn(slots),
    updates: idsOf(updates),
    engineRestarts: counts.engineRestarts,
    refusals: counts.refusals,
    lostAnswers: calls.filter(({ method, fault }) => method === 'sendMessage' && fault !== undefined).length,
  };
};

/** The poisonous update is one that nobody can store. */
const idsOf = ({ pending, recent }: Awaited<ReturnType<Berth['chat']['updates']>>) => {
  const isAddressed = (update: object): boolean => {
    const { message, callback_query: query } = update as {
      message?: { chat?: unknown; text?: unknown };
      callback_query?: unknown;
    };
    return query !== undefined || (message?.chat !== undefined && typeof message.text === 'string');
  };
  return {
    pending: pending.map(({ update_id }) => update_id),
    sent: recent.filter(isAddressed).map(({ update_id }) => update_id),
  };
};

/** Waits until all is well; gives what is not when the time is over. */
const settle = async (
  world: World,
  docker: Docker,
  { settleMs, say = () => undefined, leaving }: RunOptions,
): Promise<string[]> => {
  const { berth } = world;
  let told = Date.now();
  const end = Date.now() + settleMs;
  for (;;) {
    const [stored, host, updates] = await Promise.all([
      readStored(berth.dataDir),
      readHost(docker, berth.instance),
      berth.chat.updates(),
    ]);
    const unsettled = findUnsettled(stored, host, idsOf(updates));
    if (unsettled.length === 0 || Date.now() > end || leaving?.aborted) return unsettled;
    if (Date.now() - told > 10_000) {
      told = Date.now();
      say(`  not yet: ${unsettled.slice(0, 5).join('; ')}`);
    }
    await pause(300);
  }
};

const createSlots = async (
  berth: Berth,
  seed: number,
  dockerHost: string,
  folder: string,
): Promise<Slot[]> => {
  const known = await findKnownPoints();
  const planner = (slot: string, role: 'bot' | 'worker') => createPlanner(seed, slot, role, known);
  const worker = (name: string): Slot =>
    keepSlot({
      name,
      script: 'services/worker/main.ts',
      env: { ...berth.env.worker, DOCKER_HOST: dockerHost },
      planner: planner(name, 'worker'),
      folder,
    });
  return [
    keepSlot({
      name: 'bot',
      script: 'services/bot/main.ts',
      env: berth.env.bot,
      planner: planner('bot', 'bot'),
      folder,
    }),
    ...Array.from({ length: workers }, (_, index) => worker(`worker ${index + 1}`)),
  ];
};

const count = <T>(list: readonly T[], keyOf: (item: T) => string): Record<string, number> =>
  Object.fromEntries([...Map.groupBy(list, keyOf)].map(([key, items]) => [key, items.length]));

export const runOnce = async (options: RunOptions): Promise<Outcome> => {
  const { seed, troubleMs, settleMs, engine, say = () => undefined } = options;
  const docker = engine?.docker ?? machinesDocker;
  const folder = await mkdtemp(join(tmpdir(), `berth-faults-${seed}-`));
  const berth = await startBerth({
    workers: 2,
    env: { ...engine?.env, ...strikingEnv(folder, 'bot 0', []) },
  });
  const proxy = await startDockerProxy(engine?.dockerHost);
  const watch = watchContainers(docker, berth.instance);
  const secrets = new Set<string>();
  let slots: Slot[] = [];
  try {
    const cast = await addPeople(berth);
    const tess = await berth.newUser('tess');
    const stumble = await playPrologue(berth, tess, options).then(
      () => [],
      // Judged like all the rest: what it left behind tells more than where it stopped.
      (error: unknown) => [String(error)],
    );
    await Promise.all([berth.bot(), ...berth.workers()].map((service) => service.end()));
    slots = await createSlots(berth, seed, proxy.address, folder);
    const trouble = new AbortController();
    const people = [...cast.map(({ person }) => person), tess];
    const world: World = {
      berth,
      slots,
      proxy,
      people,
      ownEngine: engine,
      counts: { engineRestarts: 0, refusals: 0 },
      signal: trouble.signal,
    };
    const collect = (): void => {
      for (const person of people)
        for (const password of passwordsIn(person.messages())) secrets.add(password);
    };
    const collecting = setInterval(collect, 500);
    const note = (line: string): void => {
      say(line);
      appendFileSync(join(folder, 'disasters.txt'), `${new Date().toISOString()} ${line}\n`);
    };
    const timer = setTimeout(() => trouble.abort(), troubleMs);
    options.leaving?.addEventListener('abort', () => trouble.abort());
    const living = cast.map(({ person, behaviour }) =>
      live(person, behaviour, createRandom(seed, `person ${person.id}`), {
        every: person === berth.admin ? administratorPace : humanPace,
        signal: trouble.signal,
      }),
    );
    const [struckNames] = await Promise.all([strikeNow(world, seed, note), ...living]);
    clearTimeout(timer);

    say('calm');
    for (const slot of slots) slot.calm();
    await berth.chat.clearFaults();
    for (const person of people) await person.send('/help'); // who was muted is heard again
    await berth.admin.send('/maintenance off');
    const begun = Date.now();
    const unsettled = await settle(world, docker, options);
    const settledAfter = Date.now() - begun;
    clearInterval(collecting);
    collect();

    say('judging');
    const evidence = await gather(world, docker, watch);
    const exposed = await findSecrets({ berth, docker, slots, folder }, secrets);
    say('replaying');
    await slots[0]!.end();
    const differences = await findDifferences(berth.dataDir);
    await Promise.all(slots.map((slot) => slot.end()));
    const vmOf = (what: string): { vmId?: string } => {
      const row = evidence.stored.vms.find(({ vm_id }) => what.includes(vm_id));
      return row === undefined ? {} : { vmId: row.vm_id };
    };
    const called = (invariant: string, list: string[]): Broken[] =>
      list.map((what) => ({ invariant, what, ...vmOf(what) }));
    const broken = [
      ...called('what happens before the trouble goes as it should', stumble),
      ...called(`all is well again within ${settleMs / 1_000} s`, unsettled),
      ...invariants.flatMap(({ name, check }) =>
        check(evidence).map((finding) => ({ invariant: name, ...finding })),
      ),
      ...called('the projections equal a replay of the events', differences),
      ...called('no password outside the sealed store', exposed),
    ];
    await writeFile(join(folder, 'events.json'), JSON.stringify(evidence.stored.events, null, 1));
    await writeFile(join(folder, 'struck.json'), JSON.stringify(evidence.struck, null, 1));
    const reached = reachedIn(folder);
    if (broken.length === 0) await rm(folder, { recursive: true });
    return {
      seed,
      broken,
      struck: evidence.struck,
      reached,
      disasters: struckNames,
      figures: {
        settledAfter,
        events: evidence.stored.events.length,
        operations: evidence.stored.operations.length,
        ...count(evidence.stored.operations, ({ kind, status }) => `${kind} ${status}`),
        ...count(evidence.struck, ({ strike }) => `strike ${strike.act}`),
        processes: slots.flatMap((slot) => slot.lives()).length,
        marks: [...evidence.marks.values()].flat().length,
        passwords: secrets.size,
      },
      evidence,
      folder,
    };
  } finally {
    watch.close();
    await Promise.all(slots.map((slot) => slot.end()));
    await proxy.close();
    await berth.stop();
  }
};
