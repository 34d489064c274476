import type { HostConfig } from 'dockerode';
import type { Engine } from './engine.ts';
import { createFrameReader } from './output-frames.ts';
import { newProbe, removeProbe } from './probes.ts';

/** A container that runs one small program as root and is removed, with what it printed. */

export type ProbeProgram = {
  instance: string;
  image: string;
  /** Of /bin/sh. */
  script: string;
  /** $1, $2, … */
  arguments?: string[];
  hostConfig: HostConfig;
};

export type ProbeOutput = { exitCode: number; stdout: string; stderr: string };

/** Milliseconds. */
const startDeadline = 20_000;
const runDeadline = 20_000;

const readOutput = (frames: Buffer): Pick<ProbeOutput, 'stdout' | 'stderr'> => {
  const pieces = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  createFrameReader((piece, stream) => pieces[stream].push(piece))(frames);
  return {
    stdout: Buffer.concat(pieces.stdout).toString(),
    stderr: Buffer.concat(pieces.stderr).toString(),
  };
};

/** Throws a DockerRefusal where Docker makes or starts no such container, RetryableError `docker-unreachable`. */
export const runProbe = async (engine: Engine, program: ProbeProgram): Promise<ProbeOutput> => {
  const probe = newProbe(program.instance);
  const { name } = probe;
  const options = {
    ...probe,
    Image: program.image,
    User: 'root',
    Entrypoint: ['/bin/sh', '-c', program.script, 'sh', ...(program.arguments ?? [])],
    HostConfig: {
      CapDrop: ['ALL'],
      LogConfig: { Type: 'json-file', Config: {} },
      ...program.hostConfig,
    },
  };
  try {
    await engine.call('creating a probe', (docker) => docker.createContainer(options));
    await engine.call(
      'starting a probe',
      (docker, abortSignal) => docker.getContainer(name).start({ abortSignal }),
      { deadline: startDeadline },
    );
    const { StatusCode } = await engine.call(
      'waiting for a probe',
      (docker, abortSignal) => docker.getContainer(name).wait({ abortSignal }),
      { deadline: runDeadline },
    );
    const logs = await engine.call('reading a probe', (docker) =>
      docker.getContainer(name).logs({ stdout: true, stderr: true, follow: false }),
    );
    return { exitCode: StatusCode, ...readOutput(logs) };
  } finally {
    await removeProbe(engine, name);
  }
};
