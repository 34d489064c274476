import { randomBytes } from 'node:crypto';
import { type ExecaError, execa } from 'execa';
import { containerOptions } from '../../services/worker/docker/container-options.ts';
import { docker, removeEverythingOf } from './docker.ts';
import { findFreePort } from './redis.ts';
import { ssh } from './ssh.ts';
import { waitForSshBanner } from './ssh-banner.ts';

/** A container of the VM image with the options that the worker gives it, without a worker: for the image's tests. */

export type Finished = { exitCode: number | undefined; stdout: string; stderr: string };

export type BareVm = {
  readonly name: string;
  readonly port: number;
  /** `docker exec` as root; never throws because of an exit status. */
  exec(argv: string[], input?: string): Promise<Finished>;
  /** As a person, with the password. */
  ssh(command: string): Promise<string>;
  /** Resolves when SSH answers again. */
  restart(): Promise<void>;
  remove(): Promise<void>;
};

const password = 'a password for tests';

/** `without`: a capability that it is to lack. */
export const startBareVm = async ({ sudo = true, without = '' } = {}): Promise<BareVm> => {
  const instance = `test-${randomBytes(4).toString('hex')}`;
  const port = await findFreePort();
  const image = process.env.VM_IMAGE || 'berth-vm:latest';
  const options = containerOptions({
    instance,
    vmId: 'image',
    owner: 1,
    name: 'image',
    image,
    runtime: 'runc',
    networkId: 'bridge',
    bindAddress: '127.0.0.1',
    sshPort: port,
    limits: { memoryBytes: 512 * 1024 ** 2, cpus: 1, diskBytes: 1024 ** 3, gpu: false, sudo },
    hostCpus: 1,
  });
  const { HostConfig } = options;
  const CapAdd = HostConfig?.CapAdd?.filter((name: string) => name !== without);
  const container = await docker.createContainer({ ...options, HostConfig: { ...HostConfig, CapAdd } });

  const answers = () => waitForSshBanner(port, 20_000);
  const exec = async (argv: string[], input = ''): Promise<Finished> => {
    const { exitCode, stdout, stderr } = await execa('docker', ['exec', '-i', options.name, ...argv], {
      input,
      reject: false,
    }).catch((error: ExecaError) => error as unknown as Finished);
    return { exitCode, stdout: String(stdout), stderr: String(stderr) };
  };

  await container.start();
  await answers();
  await exec(['chpasswd'], `dev:${password}\n`);
  return {
    name: options.name,
    port,
    exec,
    ssh: (command) => ssh({ host: '127.0.0.1', port, password }, command),
    restart: async () => {
      await container.restart({ t: 5 });
      await answers();
    },
    remove: () => removeEverythingOf(instance),
  };
};
