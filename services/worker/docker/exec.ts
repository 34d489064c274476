import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecInspectInfo } from 'dockerode';
import { RetryableError } from '../../../queues/errors.ts';
import { type CallOptions, type Engine, isRefusal } from './engine.ts';
import { createFrameReader, type OutputStream } from './output-frames.ts';

/**
 * Glossary.
 * exec — a process that Docker starts in a running container. Docker cannot end one: whoever starts it sees to
 *   its end.
 * attachment — the connection that carries its input and output. It may close early (Docker restarted) and
 *   stay open late (a child kept the output), so the exit code is always asked for.
 */

export type Command = { argv: string[]; user?: string; stdin?: string };

export type Attachment = {
  execId: string;
  stream: Duplex;
  /** Resolves when the stream has ended, for whatever reason. */
  ended: Promise<void>;
};

/** Creates and starts it. `onOutput` gets every piece as it arrives. */
export const startExec = async (
  engine: Engine,
  containerId: string,
  { argv, user = 'root', stdin }: Command,
  onOutput: (piece: Buffer, stream: OutputStream) => void,
  options: CallOptions,
): Promise<Attachment> => {
  const { id } = await engine.call(
    'creating an exec',
    (docker, abortSignal) =>
      docker.getContainer(containerId).exec({
        Cmd: argv,
        User: user,
        AttachStdin: stdin !== undefined,
        AttachStdout: true,
        AttachStderr: true,
        abortSignal,
      }),
    options,
  );
  const stream = await engine.call(
    'starting an exec',
    (docker) => docker.getExec(id).start({ hijack: true, stdin: stdin !== undefined }),
    options,
  );
  const ended = new Promise<void>((resolve) => {
    stream.once('close', resolve);
    stream.once('end', resolve);
    stream.once('error', () => resolve()); // what it means is seen when the exec is inspected
  });
  stream.on('data', createFrameReader(onOutput));
  if (stdin !== undefined) stream.end(stdin);
  return { execId: id, stream, ended };
};

/** What Docker knows of it; undefined when Docker has forgotten it, as after its restart. */
export const inspectExec = async (
  engine: Engine,
  execId: string,
  options: CallOptions,
): Promise<ExecInspectInfo | undefined> => {
  try {
    return await engine.call(
      'inspecting an exec',
      (docker, abortSignal) => docker.getExec(execId).inspect({ abortSignal }),
      options,
    );
  } catch (error) {
    if (isRefusal(error, 404)) return undefined;
    throw error;
  }
};

/**
 * The exit code, once the stream has ended: Docker notes it a moment later. Null when it stays unknown: Docker
 * has forgotten the exec, or says for two seconds that it runs.
 */
export const exitCodeOf = async (
  engine: Engine,
  execId: string,
  options: CallOptions,
): Promise<number | null> => {
  for (let pause = 1; pause <= 1024; pause *= 2) {
    const state = await inspectExec(engine, execId, options);
    if (state === undefined) return null;
    if (!state.Running) return state.ExitCode;
    await sleep(pause, undefined, options.signal ? { signal: options.signal } : {});
  }
  return null;
};

/** The VM's owner is root there and may have put anything in the place of what we call. Bytes. */
const mostOutput = 64 * 1024;

/**
 * Runs a short command of ours to its end and collects what it prints. `deadline` (milliseconds) holds for all
 * of it; the command itself has to be one that ends.
 */
export const runInContainer = async (
  engine: Engine,
  containerId: string,
  command: Command,
  options: CallOptions,
): Promise<{ exitCode: number | null; stdout: string }> => {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const collect = (piece: Buffer, from: OutputStream) => {
    if (from !== 'stdout' || bytes >= mostOutput) return;
    pieces.push(piece);
    bytes += piece.length;
  };
  const { execId, stream, ended } = await startExec(engine, containerId, command, collect, options);
  try {
    await engine.call(`running ${command.argv[0]}`, () => ended, options);
    const exitCode = await exitCodeOf(engine, execId, options);
    return { exitCode, stdout: Buffer.concat(pieces).toString() };
  } finally {
    stream.destroy();
  }
};

/** Like runInContainer; a failure is worth another attempt, as the container may be on its way down. */
export const mustRunInContainer = async (
  engine: Engine,
  containerId: string,
  command: Command,
  options: CallOptions,
): Promise<string> => {
  const { exitCode, stdout } = await runInContainer(engine, containerId, command, options);
  if (exitCode === 0) return stdout;
  throw new RetryableError('docker-refused', `${command.argv[0]} ended with status ${exitCode ?? 'unknown'}`);
};
