import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readShapes } from '../scripts/event-shapes/read.ts';
import { openStore } from '../services/bot/store/store.ts';
import { upcasters } from '../services/bot/store/upcasters.ts';
import { createVmProcessor } from '../services/worker/processors/create-vm.ts';
import { stopVmProcessor } from '../services/worker/processors/stop-vm.ts';
import { testContext } from '../services/worker/testing/context.ts';
import { testHost } from '../services/worker/testing/vm-host.ts';
import { readAll } from '../shared/event-store/append.ts';
import { createLog } from '../shared/log.ts';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers, findVolumes } from './support/docker.ts';
import { firstVersion, writeFirstVersion } from './support/first-version.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { readAccess, ssh } from './support/ssh.ts';

// A machine that is busy takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** The first version's database goes on as today's, and so do its VMs and what it had accepted. */

const root = join(import.meta.dirname, '..');

const readOld = <Row>(dataDir: string, query: string): Row[] => {
  const database = new Sqlite(join(dataDir, 'berth.db'), { readonly: true });
  const rows = database.prepare(query).all() as Row[];
  database.close();
  return rows;
};

describe('the first version’s database', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'berth-first-'));
  beforeAll(() => writeFirstVersion(dataDir));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  const vmColumns = [
    'vm_id',
    'owner',
    'name',
    'status',
    'plan',
    'ssh_port',
    'epoch',
    'container_id',
  ] as const;
  const operationColumns = ['operation_id', 'vm_id', 'kind', 'status', 'owner', 'reason_code'] as const;

  it('comes forward with a copy kept, and says of VMs, operations and people what it said then', async () => {
    const vms = readOld(dataDir, `select ${vmColumns} from vms order by vm_id`);
    const operations = readOld(dataDir, `select ${operationColumns} from operations order by operation_id`);
    const users = readOld(dataDir, 'select user_id, status, plan_id, username from users order by user_id');
    const store = await openStore({ dataDir, log: createLog('test', 'silent') });
    const { db } = store;
    expect(await db.selectFrom('vms').select(vmColumns).orderBy('vm_id').execute()).toEqual(vms);
    const now = await db.selectFrom('operations').select(operationColumns).orderBy('operation_id').execute();
    expect(now).toEqual(operations);
    const people = await db
      .selectFrom('users')
      .select(['user_id', 'status', 'plan_id', 'username'])
      .orderBy('user_id')
      .execute();
    expect(people).toEqual(users);
    expect([vms.length, operations.length, users.length]).toEqual([6, 15, 3]);
    await store.close();
    const copies = readdirSync(join(dataDir, 'backups'));
    expect(copies).toEqual([expect.stringMatching(/^before-002-people-\d{8}T\d{6}Z\.db$/)]);
  });

  it('holds every kind of event that there was, and each is read as one of today', async () => {
    const store = await openStore({ dataDir, log: createLog('test', 'silent') });
    const events = await readAll(store.db as never, 0, 1_000, upcasters);
    await store.close();
    const written = readOld<{ type: string }>(dataDir, 'select distinct type from events');
    expect(written.length).toBe(28);
    const asWritten = Object.fromEntries(
      [...Map.groupBy(events, ({ type }) => type)].map(([type, all]) => [
        type,
        all.map(({ data }) => JSON.stringify(data)),
      ]),
    );
    const misfits = readShapes(root, asWritten, ({ fits }) =>
      Object.entries(asWritten).flatMap(([type, all]) =>
        all.filter((data) => !fits(type, data)).map((data) => `${type}: ${data}`),
      ),
    );
    expect(misfits).toEqual([]);
  });

  it('is the same when its projections are built anew', async () => {
    const { stdout } = await execa(process.execPath, ['scripts/replay.ts'], {
      cwd: root,
      env: { DATA_DIR: dataDir, LOG_LEVEL: 'silent' },
    });
    expect(stdout).toMatch(/equal/i);
  });
});

describe('what the first version began', () => {
  let berth: Berth;
  let ann: Participant;
  const slow = { timeoutMs: 60_000 };
  const says = (part: string) => (message: ChatMessage) => message.text.includes(part);

  /** Containers as they were left: one running, one stopped. */
  const makeContainers = async (): Promise<void> => {
    const host = testHost({ instance: berth.instance });
    const orders = readOld<{ payload: string }>(
      berth.dataDir,
      "select payload from outbox where job_name = 'create-vm'",
    ).map(({ payload }) => JSON.parse(payload));
    for (const { vmId } of [firstVersion.box, firstVersion.rest]) {
      const { passwordHash, ...order } = orders.find((one) => one.vmId === vmId);
      const limits = { ...order.limits, sudo: true };
      const access = { passwordHash, authorizedKeys: [], revision: 1 };
      await createVmProcessor(host)({ ...order, limits, access }, testContext());
      if (vmId === firstVersion.rest.vmId) await stopVmProcessor(host)(order, testContext());
    }
  };

  beforeAll(async () => {
    const env = { SECRET_KEY: firstVersion.secretKey, SSH_PORT_RANGE: '20741-20749' };
    berth = await startBerth({ workers: 0, env });
    await berth.admin.ask('/start');
    await berth.chat.addPerson({ firstName: 'Ann', id: firstVersion.ann, username: 'ann_a' });
    ann = berth.chat.person(firstVersion.ann);
    await ann.ask('/start');
    await berth.bot().end();
    for (const file of ['berth.db', 'berth.db-wal', 'berth.db-shm'])
      rmSync(join(berth.dataDir, file), { force: true });
    writeFirstVersion(berth.dataDir);
    await makeContainers();
    await berth.startBot();
    await berth.startWorker();
  });
  afterAll(() => berth?.stop());

  it('is finished: a creation that was accepted, and a command, which runs once', async () => {
    await ann.waitForMessage(says('late is running'), slow);
    const done = await berth.admin.waitForMessage(
      ({ text }) => text.includes('from-the-first-version') && text.includes('Done'),
      slow,
    );
    expect(done.text).toContain('box');
  });

  it('opens with the password of then, and is told of as it is', async () => {
    const card = await berth.admin.ask('/status');
    expect(card.text).toContain('running');
    const access = readAccess(card);
    expect(access).toMatchObject({ port: firstVersion.box.sshPort, password: firstVersion.box.password });
    expect(await ssh(access, 'sudo whoami && hostname')).toBe('root\nbox');
    expect((await berth.admin.ask('/list_allowed')).text).toContain('@ann_a');
    expect((await ann.ask('/history', says('gone'))).text).toContain('destroyed');
  });

  it('starts, stops and is destroyed', async () => {
    const started = await ann.ask('/start_vm rest', says('rest is running again'), slow);
    expect(await ssh(readAccess(started), 'whoami')).toBe('dev');
    await berth.admin.ask('/stop', says('box is stopped'), slow);
    for (const [person, name] of [
      [berth.admin, 'box'],
      [ann, 'rest'],
      [ann, 'late'],
    ] as const) {
      const question = await person.ask(`/destroy ${name}`, says(`Destroy ${name} for good?`));
      await person.pressAndWait(question, `🗑 Yes, destroy ${name}`);
      await person.waitForMessage(says(`${name} is destroyed`), slow);
    }
    expect(await findContainers(berth.instance)).toEqual([]);
    expect(await findVolumes(berth.instance)).toEqual([]);
  });
});
