import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EndReason, OpenTerminal } from '../../../shared/terminal/protocol.ts';
import { type Engine, isRefusal } from '../docker/engine.ts';
import { isVms, resourceName } from '../docker/ownership.ts';
import type { VmHost } from '../vm-host.ts';
import { attachCommand, hasSession, sessionNameOf } from './tmux.ts';

/** A PTY in a VM, with tmux in it: what a terminal's bytes come from and go to. */
export type Pty = {
  containerId: string;
  session: string;
  stream: Duplex;
  resize(columns: number, rows: number): Promise<unknown>;
  /** Why its stream has ended; null where the session goes on without us, or Docker is away. */
  whyEnded(): Promise<EndReason | null>;
};

type Life = { id: string; running: boolean; startedAt: string };

/** The VM's container, as long as it is ours and its owner is the one that the gateway names. */
export const findContainer = async (
  { engine, instance }: Pick<VmHost, 'engine' | 'instance'>,
  { vmId, owner }: Pick<OpenTerminal, 'vmId' | 'owner'>,
): Promise<Life | null> => {
  try {
    const { Id, Config, State } = await engine.call('inspecting the container', (docker, abortSignal) =>
      docker.getContainer(resourceName(instance, vmId)).inspect({ abortSignal }),
    );
    if (!isVms(Config.Labels, instance, vmId) || Config.Labels['berth.owner'] !== String(owner)) return null;
    return {
      id: Id,
      running: State.Running && !State.Restarting && !State.Paused,
      startedAt: State.StartedAt,
    };
  } catch (error) {
    if (isRefusal(error, 404)) return null;
    throw error;
  }
};

const startExec = async (engine: Engine, containerId: string, order: OpenTerminal) => {
  const command = attachCommand(sessionNameOf(order), order);
  const { id } = await engine.call('creating a terminal', (docker, abortSignal) =>
    docker.getContainer(containerId).exec({
      ...command,
      Tty: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      abortSignal,
    }),
  );
  const stream = await engine.call('starting a terminal', (docker) =>
    docker.getExec(id).start({ hijack: true, stdin: true, Tty: true }),
  );
  stream.on('error', () => stream.destroy()); // what it means is looked up once it is closed
  return { id, stream };
};

/** Docker needs a moment to notice that a container ended: tries, and milliseconds between them. */
const looks = 20;
const betweenLooks = 100;

export const openPty = async (host: VmHost, order: OpenTerminal, life: Life): Promise<Pty> => {
  const { engine } = host;
  const session = sessionNameOf(order);
  const { id, stream } = await startExec(engine, life.id, order);

  const look = async (): Promise<EndReason | 'on' | 'unclear'> => {
    const found = await findContainer(host, order);
    if (found === null) return 'vm-destroyed';
    if (!found.running || found.startedAt !== life.startedAt) return 'vm-stopped';
    try {
      return (await hasSession(engine, found.id, session, {})) ? 'on' : 'exited';
    } catch (error) {
      // It is just going down: Docker refuses with another status at each step of that, 500 among them.
      if (isRefusal(error)) return 'unclear';
      throw error;
    }
  };
  return {
    containerId: life.id,
    session,
    stream,
    resize: (columns, rows) =>
      engine.call('resizing a terminal', (docker, abortSignal) =>
        docker.getExec(id).resize({ h: rows, w: columns, abortSignal }),
      ),
    async whyEnded() {
      let seen = await look();
      let doubted = false;
      for (
        let count = 1;
        count < looks && (seen === 'unclear' || (seen === 'exited' && !doubted));
        count += 1
      ) {
        // A shell that was killed looks like one that was left: the container may be ending with it.
        doubted ||= seen === 'exited';
        await sleep(betweenLooks);
        seen = await look();
      }
      return seen === 'on' || seen === 'unclear' ? null : seen;
    },
  };
};
