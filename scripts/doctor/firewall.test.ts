import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEngine } from '../../services/worker/docker/engine.ts';
import { ensureNetwork } from '../../services/worker/docker/network.ts';
import { runProbe } from '../../services/worker/docker/run-probe.ts';
import { applyRules } from '../../services/worker/firewall/apply.ts';
import { tableName } from '../../services/worker/firewall/rules.ts';
import { ensureTestImage } from '../../services/worker/testing/image.ts';
import { testEnv, testHost } from '../../services/worker/testing/vm-host.ts';
import { removeEverythingOf } from '../../tests/support/docker.ts';
import { checkFirewall } from './firewall.ts';

vi.setConfig({ testTimeout: 120_000 });

const engine = createEngine(testEnv.DOCKER_HOST);
const image = testEnv.VM_IMAGE;
const instance = `test-${randomBytes(5).toString('hex')}`;
const check = (changes: Partial<Parameters<typeof checkFirewall>[1]> = {}, rootless = false) =>
  checkFirewall(engine, { instance, image, mayReach: [], ...changes }, rootless);
const apply = () => applyRules({ engine, image }, { instance, mayReach: [], resolvers: [] });

beforeAll(() => ensureTestImage(testHost()));
afterEach(() => removeEverythingOf(instance));

describe('the firewall, to the doctor,', () => {
  it('can be set, before Berth has run, and is not set by looking', async () => {
    const finding = { status: 'ok', found: 'can be set; a worker does it at its start' };
    expect(await check()).toMatchObject(finding);
    expect(await check()).toMatchObject(finding);
  });

  it('holds, as tried with a container that does not reach the host', async () => {
    await apply();
    expect((await check()).found).not.toContain('tried');
    await ensureNetwork(engine, instance, {});
    expect(await check()).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('tried: a container does not reach the host'),
    });
  });

  it('does not hold where its rules stand and let a container reach the host', async () => {
    await apply();
    await ensureNetwork(engine, instance, {});
    const hostConfig = { NetworkMode: 'host', CapAdd: ['NET_ADMIN'] };
    const script = `nft flush chain inet ${tableName(instance)} to_the_host`;
    expect(await runProbe(engine, { instance, image, script, hostConfig })).toMatchObject({ exitCode: 0 });
    expect(await check()).toMatchObject({
      status: 'failure',
      found: expect.stringContaining('reaches the host all the same'),
    });
  });

  it('is not known without the VM image, and weaker below a rootless Docker', async () => {
    expect(await check({ image: `${instance}:none` })).toMatchObject({ status: 'warning' });
    expect(await check({}, true)).toMatchObject({ status: 'failure', advice: expect.stringMatching(/root/) });
  });

  it('can be printed, for hosts whose Docker may not set it', async () => {
    const { stdout } = await execa('npm', ['run', 'firewall', '--silent'], {
      env: { INSTANCE: instance, VM_MAY_REACH: '10.9.8.7' },
    });
    expect(stdout).toMatch(new RegExp(`^add table inet ${tableName(instance)}\n`));
    expect(stdout).toContain('ct original ip daddr 10.9.8.7 accept');
    const hostConfig = { NetworkMode: 'host', CapAdd: ['NET_ADMIN'] };
    const script = `printf '%s' "$1" | nft --check -f -`;
    const checked = await runProbe(engine, { instance, image, script, arguments: [stdout], hostConfig });
    expect(checked).toMatchObject({ exitCode: 0, stderr: '' });
  });
});
