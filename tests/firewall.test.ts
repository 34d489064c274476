import { randomInt } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { tableName } from '../services/worker/firewall/rules.ts';
import { allOf, listenOn, reach } from '../services/worker/testing/reach.ts';
import { type Berth, startBerth } from './support/berth.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { type SecondEngine, startSecondEngine } from './support/second-engine.ts';
import { readAccess, ssh } from './support/ssh.ts';

/**
 * What VMs of a whole Berth reach, on the second engine: this machine is the local network there, at an address from a
 * private range, and the internet, at a public one. It takes root to run.
 */

vi.setConfig({ testTimeout: 120_000 });

const image = process.env.VM_IMAGE || 'berth-vm:latest';
/** From a range for documentation, which is nobody's. */
const publicAddress = `198.51.100.${randomInt(1, 255)}`;

let engine: SecondEngine;
let berth: Berth;
let ann: Participant;
let access: Record<'ann' | 'ben', ReturnType<typeof readAccess>>;
const listeners: Awaited<ReturnType<typeof listenOn>>[] = [];

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);

/** A command in the network of the engine's host, as root there. */
const onTheHost = async (command: string): Promise<string> => {
  const container = await engine.docker.createContainer({
    Image: image,
    Entrypoint: ['/bin/sh', '-c', `exec 2>&1; ${command}`],
    Tty: true,
    HostConfig: { NetworkMode: 'host', CapAdd: ['NET_ADMIN'] },
  });
  await container.start();
  await container.wait();
  const output = await text(await container.logs({ stdout: true, follow: true }));
  await container.remove();
  return output;
};

/** The engine's host has its cable to this machine, and a way to the internet over it. */
const joinTheInternet = async (): Promise<string> => {
  const { stdout } = await execa('ip', ['-json', 'route', 'get', engine.address]);
  const [{ dev, prefsrc }] = JSON.parse(stdout) as [{ dev: string; prefsrc: string }];
  await execa('ip', ['address', 'replace', `${publicAddress}/32`, 'dev', dev]);
  await onTheHost(`ip route replace default via ${prefsrc}`);
  return prefsrc;
};

const containerOf = async (person: Participant): Promise<string> => {
  const label = [`berth.owner=${person.id}`];
  return (await engine.docker.listContainers({ filters: { label } }))[0]!.Id;
};
const reachFromAnns = async (targets: readonly string[]) =>
  reach(engine.docker, await containerOf(ann), targets);

let internet: string;
let localNetwork: string;
const ofTheHost = () => [`${engine.address}:${access.ben.port}`, `${engine.address}:1`];
/** A port of the host behind which something of the internet answers. */
const handedOn = () => `${engine.address}:9`;
const forbidden = () => [localNetwork, ...ofTheHost(), '169.254.169.254:80'];

beforeAll(async () => {
  engine = await startSecondEngine();
  await engine.importImage(image);
  const machine = await joinTheInternet();
  for (const address of [publicAddress, machine]) listeners.push(await listenOn(address));
  [internet, localNetwork] = listeners.map(({ target }) => target) as [string, string];
  berth = await startBerth({ workers: 2, env: engine.env });
  const make = async (name: string) => {
    const person = await berth.newUser(name);
    const made = await person.ask(`/create ${name}`, says('is running'), { timeoutMs: 60_000 });
    return { person, access: readAccess(made) };
  };
  const [first, second] = [await make('ann'), await make('ben')];
  ann = first.person;
  access = { ann: first.access, ben: second.access };
}, 180_000);
afterAll(async () => {
  await Promise.all(listeners.map((listener) => listener.close()));
  await berth?.stop();
  await engine?.stop();
});

describe('a VM', () => {
  it('reaches the internet, and neither the local network, the host, a neighbour’s port nor the metadata', async () => {
    expect(await reachFromAnns([internet, ...forbidden()])).toEqual({
      [internet]: 'open',
      ...allOf(forbidden(), 'ECONNREFUSED'),
    });
  });

  it('is reached from the local network by its published port', async () => {
    expect(await ssh(access.ann, 'hostname')).toBe('ann');
  });

  it('is said to be held off all that in /admin_info', async () => {
    const overview = await berth.admin.ask('/admin_info', says('Protections'));
    expect(overview.text).toContain('✅ VMs reach neither each other nor the host nor private networks');
  });
});

describe('the rules', () => {
  it('stand when Docker’s own are cleared', async () => {
    const cleared = await onTheHost('nft flush table ip filter && nft list table ip filter');
    expect(cleared).not.toContain('DROP');
    expect(await reachFromAnns(forbidden())).toEqual(allOf(forbidden(), 'ECONNREFUSED'));
  });

  it('stand after a restart of Docker as soon as a VM runs again', async () => {
    const before = ann.messages().at(-1)!.id;
    await engine.begin('restart'); // with a network in which nothing is left
    await joinTheInternet();
    const back = (message: ChatMessage) => message.id > before && says('ssh -p')(message);
    await ann.waitForMessage(back, { timeoutMs: 60_000 });
    expect(await reachFromAnns([internet, ...forbidden()])).toEqual({
      [internet]: 'open',
      ...allOf(forbidden(), 'ECONNREFUSED'),
    });
    expect(await ssh(access.ann, 'hostname')).toBe('ann');
  });

  it('hold for a port of the host that is handed on to an address which is not private', async () => {
    const [address, port] = internet.split(':');
    const rule = `iifname != lo ip daddr ${engine.address} tcp dport 9 dnat to ${address}:${port}`;
    const chain = 'chain ip handed on { type nat hook prerouting priority -110; }';
    const made = await onTheHost(`nft 'add table ip handed; add ${chain}; add rule ip handed on ${rule}'`);
    expect(made).toBe('');
    // The refusal comes from the address behind, and does not find its way back to whoever asked.
    expect(await reachFromAnns([handedOn()])).toEqual({ [handedOn()]: 'silence' });
  });

  it('are what all this is about: without them the VM reaches all that', async () => {
    await Promise.all(berth.workers().map((worker) => worker.end())); // nobody puts them back meanwhile
    await onTheHost(`nft delete table inet ${tableName(berth.instance)}`);
    const targets = [localNetwork, handedOn()];
    expect(await reachFromAnns(targets)).toEqual(allOf(targets, 'open'));
  });
});
