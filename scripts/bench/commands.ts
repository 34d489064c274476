import { docker, findContainers } from '../../tests/support/docker.ts';
import { type Bench, timeUntil } from './chat.ts';

/** `/exec echo`, against the same command run by dockerode alone. */

export const findOwnersContainer = async ({ berth }: Bench): Promise<string> => {
  const [container] = await findContainers(berth.instance);
  if (container === undefined) throw new Error('the VM for the commands is not there');
  return container.Id;
};

/** Milliseconds until the message with the output and the exit code. */
export const execByChat = async (bench: Bench, owner: number): Promise<number> => {
  const isDone = ({ text }: { text: string }) => text.includes('exit code 0');
  const [took] = await timeUntil(bench, owner, '/exec echo hello', isDone);
  return took!;
};

/** Milliseconds of a plain `docker exec … echo` over the API, output and exit code included. */
export const execDirectly = async (containerId: string): Promise<number> => {
  const begun = performance.now();
  const exec = await docker.getContainer(containerId).exec({
    Cmd: ['echo', 'hello'],
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: false });
  await new Promise<void>((resolve) => stream.on('end', resolve).resume());
  await exec.inspect();
  return performance.now() - begun;
};
