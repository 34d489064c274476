import { beforeEach, describe, expect, it } from 'vitest';
import { command } from '../../shared/vm/testing/history.ts';
import { pickPort } from './ports.ts';
import type { Store } from './store/store.ts';
import { openTestStore, tell } from './store/testing/store.ts';

const range = { first: 22_000, last: 22_003 };
let store: Store;

beforeEach(async () => {
  store = await openTestStore();
});

const takePort = async (sshPort: number, host = 'local'): Promise<void> => {
  const { data } = command.RequestVm(`create-${sshPort}-${host}`);
  await tell(store, {
    type: 'RequestVm',
    data: { ...data, vmId: `vm-${sshPort}-${host}`, host, sshPort } as never,
  });
};
const destroyVm = async (sshPort: number): Promise<void> => {
  const data = {
    operationId: `destroy-${sshPort}`,
    vmId: `vm-${sshPort}-local`,
    at: '2026-01-01T00:00:00.000Z',
  };
  await tell(store, { type: 'DestroyVm', data });
  await tell(store, { type: 'RecordDestroyed', data });
};
const pick = (refused?: number) => store.transaction((trx) => pickPort(trx, 'local', range, refused));

describe('the port of a new VM', () => {
  it('is the lowest that no VM of that host has', async () => {
    expect(await pick()).toBe(22_000);
    await takePort(22_000);
    await takePort(22_002);
    await takePort(22_001, 'another-host');
    expect(await pick()).toBe(22_001);
  });

  it('may be that of a destroyed VM', async () => {
    for (const port of [22_000, 22_001]) await takePort(port);
    await destroyVm(22_000);
    expect(await pick()).toBe(22_000);
  });

  it('is none when all are taken', async () => {
    for (const port of [22_000, 22_001, 22_002, 22_003]) await takePort(port);
    expect(await pick()).toBeNull();
  });

  it('lies above one that something else uses, then begins anew, and is never that one', async () => {
    await takePort(22_001);
    expect(await pick(22_001)).toBe(22_002);
    expect(await pick(22_003)).toBe(22_000);
    await takePort(22_000);
    await takePort(22_002);
    expect(await pick(22_002)).toBe(22_003);
    expect(await pick(22_003)).toBeNull();
  });

  it('lies within the range also when the refused one, of another time, does not', async () => {
    for (const refused of [1_000, 30_000, 65_535]) {
      const port = await pick(refused);
      expect(port).toBeGreaterThanOrEqual(range.first);
      expect(port).toBeLessThanOrEqual(range.last);
    }
  });
});
