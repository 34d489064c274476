import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { parseFigures } from '../services/gateway/metrics/testing/parse.ts';
import { type Berth, startBerth } from './support/berth.ts';
import { findFreePort } from './support/redis.ts';
import { type ServiceProcess, startService } from './support/service-process.ts';
import { readAccess, ssh } from './support/ssh.ts';

/** What administrators and programs see of a Berth at work: the dashboard by way of the chat, the figures, readiness. */

let berth: Berth;
let gateway: ServiceProcess;
let url: string;
let access: ReturnType<typeof readAccess>;
/** What nobody may find on the dashboard or among the figures. */
const canaries: string[] = [];

beforeAll(async () => {
  berth = await startBerth();
  const port = await findFreePort();
  url = `http://127.0.0.1:${port}`;
  gateway = await startService('gateway', 'services/gateway/main.ts', {
    REDIS_URL: berth.redis.url,
    INSTANCE: berth.instance,
    GATEWAY_PORT: `${port}`,
    TUNNEL: 'off',
  });
  await berth.admin.ask('/create box');
  const created = await berth.chat.waitForMessage(
    berth.admin.id,
    ({ text }) => text.includes('box is running'),
    { timeoutMs: 90_000 },
  );
  access = readAccess(created);
  canaries.push(access.password);
  await berth.admin.ask('/exec echo canary-of-this-test', ({ text }) => text.includes('canary-of-this-test'));
  await vi.waitFor(
    () =>
      expect(berth.admin.messages().filter(({ text }) => text.includes('canary-of-this-test'))).not.toEqual(
        [],
      ),
    { timeout: 20_000 },
  );
  canaries.push('canary-of-this-test');
});
afterAll(async () => {
  await gateway?.end();
  await berth?.stop();
});

const figures = async () => parseFigures(await (await fetch(`${url}/metrics`)).text());

const askForLink = async (): Promise<string> => {
  const message = await berth.admin.ask('/dashboard');
  const offered = await berth.chat.waitForMessage(
    berth.admin.id,
    ({ id, text }) => id === message.id && text.includes('/d/'),
  );
  const [link] = /http:\S+\/d\/\S+/.exec(offered.text)!;
  expect(link).toMatch(`${url}/d/`);
  return link;
};

const enter = async (): Promise<(path: string, init?: RequestInit) => Promise<Response>> => {
  const link = await askForLink();
  const pressed = await fetch(link, { method: 'POST', headers: { origin: url }, redirect: 'manual' });
  expect([pressed.status, pressed.headers.get('location')]).toEqual([303, '/queues']);
  const cookie = pressed.headers.get('set-cookie')!.split(';')[0]!;
  return (path, init = {}) => fetch(`${url}${path}`, { ...init, headers: { cookie, origin: url } });
};

describe('a Berth at work', () => {
  it('is ready', async () => {
    const answer = await fetch(`${url}/readyz`);
    expect([answer.status, await answer.json()]).toMatchObject([200, { ready: true }]);
  });

  it('counts what was done in figures of all its processes', async () => {
    const seen = await vi.waitFor(
      async () => {
        const now = await figures();
        expect(now.values('berth_operations_total', { kind: 'exec', outcome: 'succeeded' })).toEqual([1]);
        return now;
      },
      { timeout: 25_000, interval: 500 },
    );
    expect(seen.values('berth_operations_total', { kind: 'create', outcome: 'succeeded' })).toEqual([1]);
    expect(seen.values('berth_operation_duration_seconds_count', { kind: 'create' })).toEqual([1]);
    expect(seen.values('berth_operation_duration_seconds_sum', { kind: 'create' })[0]).toBeGreaterThan(0.1);
    expect(seen.values('berth_vms', { state: 'running' })).toEqual([1]);
    const sent = seen.values('berth_telegram_calls_total', { method: 'sendMessage', status: '200' });
    expect(sent[0]).toBeGreaterThan(1);
    for (const process of ['bot', 'worker', 'gateway'])
      for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total'])
        expect([process, name, seen.values(name, { process })]).toEqual([
          process,
          name,
          [expect.any(Number)],
        ]);
    const text = JSON.stringify(seen.series);
    for (const secret of [...canaries, 'box', `${berth.admin.id}`]) expect(text).not.toContain(secret);
  });

  it('shows its queues to whoever presses the link of /dashboard, and no secret in them', async () => {
    const ask = await enter();
    const passwordHash = (await ssh(access, 'sudo getent shadow dev')).split(':')[1]!;
    expect(passwordHash).toMatch(/^\$6\$/);
    canaries.push(passwordHash);

    const listed = (await (await ask('/queues/api/queues')).json()) as {
      queues: { name: string; hasWorkers: boolean }[];
    };
    expect(listed.queues.filter(({ hasWorkers }) => !hasWorkers)).toEqual([]);
    const names = listed.queues.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['lifecycle.local', 'exec.local', 'reports', 'tunnel.gateway']),
    );
    let jobs = 0;
    for (const name of names) {
      const answer = await ask(`/queues/api/queues?activeQueue=${name}&status=latest&page=1&jobsPerPage=100`);
      const text = await answer.text();
      const { queues } = JSON.parse(text) as { queues: { name: string; jobs: { id: string }[] }[] };
      const shown = queues.find((queue) => queue.name === name)!.jobs;
      jobs += shown.length;
      const pages = [text];
      for (const { id } of shown)
        for (const part of ['', '/logs', '/flow'])
          pages.push(await (await ask(`/queues/api/queues/${name}/${id}${part}`)).text());
      for (const secret of canaries) expect(pages.filter((page) => page.includes(secret))).toEqual([]);
    }
    expect(jobs).toBeGreaterThan(3);
    const put = await ask('/queues/api/queues/lifecycle.local/pause', { method: 'PUT' });
    expect(put.status).toBe(405);
  });

  it('works in a browser under its policy, and asks nobody else for anything', async () => {
    const link = await askForLink();
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const trouble: string[] = [];
    page.on('console', (said) => said.type() === 'error' && trouble.push(said.text()));
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('request', (asked) => asked.url().startsWith(`${url}/`) || trouble.push(asked.url()));
    await page.goto(link);
    await page.click('button');
    await page.waitForURL('**/queues');
    await page.getByText('lifecycle.local').first().click();
    await page.getByText('create-vm').first().click();
    await page.getByText('‹hidden›').first().waitFor();
    expect(trouble).toEqual([]);
  });

  it('says nothing of tickets, sessions or secrets in the gateway’s log', () => {
    expect(gateway.output()).not.toMatch(/\/d\/[\w-]{43}|berth_dashboard=/);
    for (const secret of canaries) expect(gateway.output()).not.toContain(secret);
  });
});
