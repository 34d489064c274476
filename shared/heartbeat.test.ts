import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startHeartbeat } from './heartbeat.ts';
import { createLifecycle } from './lifecycle.ts';
import { createLog } from './log.ts';

describe('the heartbeat', () => {
  let folder: string;
  let lines: string[];
  const log = createLog('test', 'debug', { write: (line: string) => void lines.push(line) });
  const newLifecycle = () => createLifecycle(log, () => undefined);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-heartbeat-'));
    lines = [];
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(folder, { recursive: true });
  });

  it('touches its file again and again, until the process ends', async () => {
    const file = join(folder, 'alive');
    const lifecycle = newLifecycle();
    await startHeartbeat(file, lifecycle, log);
    utimesSync(file, 1, 1);
    vi.advanceTimersByTime(5_000);
    await vi.waitFor(() => expect(statSync(file).mtimeMs).toBeGreaterThan(1_000));
    await lifecycle.shutdown();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says once that it cannot, and goes on trying', async () => {
    const lifecycle = newLifecycle();
    const file = join(folder, 'later', 'alive');
    await startHeartbeat(file, lifecycle, log);
    vi.advanceTimersByTime(10_000);
    mkdirSync(join(folder, 'later'));
    vi.advanceTimersByTime(5_000);
    await vi.waitFor(() => expect(statSync(file).isFile()).toBe(true));
    expect(lines.filter((line) => line.includes('heartbeat'))).toHaveLength(1);
    await lifecycle.shutdown();
  });
});
