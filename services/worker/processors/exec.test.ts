import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { testContext } from '../testing/context.ts';
import { ensureTestImage } from '../testing/image.ts';
import { access, newVmOrder, operationOn } from '../testing/orders.ts';
import { docker, removeInstance, testHost } from '../testing/vm-host.ts';
import { createVmProcessor } from './create-vm.ts';
import { execProcessor } from './exec.ts';
import { keptBytes } from './exec-output.ts';
import { restartVmProcessor } from './restart-vm.ts';
import { stopVmProcessor } from './stop-vm.ts';

const host = testHost();
const exec = execProcessor(host);
const name = (vmId: string) => `${host.instance}-${vmId}`;
let vmId = '';
let sshPort = 0;

beforeAll(async () => {
  await ensureTestImage(host);
  const order = await newVmOrder();
  ({ vmId, sshPort } = order);
  await createVmProcessor(host)(order, testContext());
});
afterAll(() => removeInstance());

let count = 0;
const newExec = (timeoutSeconds = 20) => ({
  ...operationOn(vmId),
  operationId: `exec-${++count}`,
  timeoutSeconds,
});

/** Starts a command; gives its context, its end, and what it printed. */
const run = (command: string, { payload = newExec(), context = testContext() } = {}) => {
  context.privates.set(`exec:${payload.operationId}`, Buffer.from(command));
  const result = exec(payload, context);
  const output = async () => {
    await result;
    return context.privates.get(`exec-output:${payload.operationId}`)?.toString();
  };
  return { payload, context, result, output };
};

const processes = async () => (await execa('docker', ['top', name(vmId), '-eo', 'pid,args'])).stdout;
const inVm = async (script: string) =>
  (await execa('docker', ['exec', name(vmId), 'sh', '-c', script])).stdout;

describe('running a command', () => {
  it('gives its output, its exit code and its time', async () => {
    const { result, output } = run('echo to out; echo to err >&2; whoami; pwd; exit 3');
    expect(await result).toMatchObject({ exitCode: 3, truncated: false, timedOut: false });
    expect((await output())?.split('\n').sort()).toEqual(['', '/home/dev', 'dev', 'to err', 'to out']);
    expect((await result).outputBytes).toBe((await output())?.length);
    expect((await result).durationMs).toBeGreaterThan(0);
  });

  it('hands the command over as it is, with quotes, dollars, newlines and backslashes', async () => {
    const { output } = run(`printf '%s|' "a b" 'c$d' "e\\"f" $((1+1)) '\n' "\`echo g\`" '; exit 9' äö🐳`);
    expect(await output()).toBe('a b|c$d|e"f|2|\n|g|; exit 9|äö🐳|');
  });

  it('writes neither the command nor its output into the log', async () => {
    const { context, result } = run('echo hush-$((40+2))');
    await result;
    expect(context.logs.join('')).not.toMatch(/hush/);
  });

  it('cuts the output after one MiB and lets the command print on', async () => {
    const { result, output } = run('head -c 5000000 /dev/zero | tr "\\0" x; echo end >&2; exit 4');
    expect(await result).toMatchObject({ exitCode: 4, truncated: true, outputBytes: 5_000_004 });
    expect((await output())?.length).toBe(keptBytes);
  });

  it('shows the output while it grows', async () => {
    const { context, result } = run(
      'echo first; while [ ! -e ~/go ]; do sleep 0.02; done; rm ~/go; echo last',
    );
    await vi.waitFor(() => expect(context.outputs.at(-1)).toBe('first\n'), { timeout: 5_000 });
    await inVm('touch /home/dev/go');
    expect((await result).exitCode).toBe(0);
  });

  it('ends when its time is over, with everything that left its session', async () => {
    const { result, output } = run(
      'echo begun; setsid sleep 71 & (setsid setsid sleep 72 &) ; trap "" TERM INT HUP; sudo sleep 73 & sleep 74',
      { payload: newExec(1) },
    );
    expect(await result).toMatchObject({ timedOut: true });
    expect((await result).durationMs).toBeLessThan(4_000);
    expect(await output()).toBe('begun\n');
    expect(await processes()).not.toMatch(/sleep 7[1-4]/);
  });

  it('ends when it is cancelled, with everything it started', async () => {
    const { context, result } = run('echo begun; setsid sleep 81 & sleep 82');
    await vi.waitFor(() => expect(context.outputs).toContain('begun\n'), { timeout: 5_000 });
    context.cancel();
    await expect(result).rejects.toMatchObject({ name: 'CancelledError' });
    expect(await processes()).not.toMatch(/sleep 8[12]/);
  });

  it('is ended also by a cancellation that comes at once', async () => {
    const { context, result } = run('sleep 91');
    setImmediate(() => context.cancel());
    await expect(result).rejects.toMatchObject({ name: 'CancelledError' });
    expect(await processes()).not.toMatch(/sleep 91/);
  });

  it('ends although its fork bomb leaves no room for another process', async () => {
    const { result } = run(':(){ :|:& };:; wait; sleep 60', { payload: newExec(2) });
    expect(await result).toMatchObject({ timedOut: true });
    expect((await docker.getContainer(name(vmId)).inspect()).HostConfig.PidsLimit).toBe(1024);
    expect(await run('echo alive').output()).toBe('alive\n');
  });

  it('ends with its main process, whatever child keeps the output open', async () => {
    const { result, output } = run('setsid sleep 61 & echo done; exit 5');
    expect(await result).toMatchObject({ exitCode: 5, timedOut: false });
    expect((await result).durationMs).toBeLessThan(2_000);
    expect(await output()).toBe('done\n');
    await inVm('pkill -f "[s]leep 61"');
  });

  it('runs at most once: a second attempt learns that the outcome is lost', async () => {
    const { payload, result } = run('echo x >> ~/once');
    await result;
    const again = run('echo x >> ~/once', { payload });
    await expect(again.result).rejects.toMatchObject({ name: 'OperationError', code: 'outcome-unknown' });
    expect(await inVm('cat /home/dev/once')).toBe('x');
  });

  it('is not started without its text, and asks for another attempt', async () => {
    await expect(exec(newExec(), testContext())).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'outcome-unknown',
    });
  });

  it('lets go of a command when the worker has to, and leaves it running', async () => {
    const { context, result } = run('echo begun; sleep 51');
    await vi.waitFor(() => expect(context.outputs).toContain('begun\n'), { timeout: 5_000 });
    context.shutDown();
    await expect(result).rejects.toBe('shutdown');
    expect(await processes()).toMatch(/sleep 51/);
    await inVm('pkill -f "[s]leep 51"');
  });

  it('says that the VM stopped meanwhile, also when it is started again at once', async () => {
    const { context, result } = run('echo begun; sleep 41');
    await vi.waitFor(() => expect(context.outputs).toContain('begun\n'), { timeout: 5_000 });
    const restarted = restartVmProcessor(host)({ ...operationOn(vmId), sshPort, access }, testContext());
    await expect(result).rejects.toMatchObject({ name: 'OperationError', code: 'vm-not-running' });
    await restarted;
    await stopVmProcessor(host)(operationOn(vmId), testContext());
    await expect(run('true').result).rejects.toMatchObject({ code: 'vm-not-running' });
    await docker.getContainer(name(vmId)).start();
  });
});
