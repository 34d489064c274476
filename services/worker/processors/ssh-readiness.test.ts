import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startContainer } from '../docker/containers.ts';
import { runInContainer } from '../docker/exec.ts';
import { ensureTestImage } from '../testing/image.ts';
import { docker, newVmId, removeInstance, testHost } from '../testing/vm-host.ts';
import { knockFor } from './ssh-knock.ts';
import { waitUntilSshAnswers } from './ssh-readiness.ts';

/** A VM whose port 22 is whatever the test makes it, with no port published: the worker never needs one. */

const host = testHost();
const { engine } = host;
const signal = new AbortController().signal;

const startWith = async (command: string): Promise<string> => {
  const { id } = await docker.createContainer({
    Image: host.vmImage,
    Entrypoint: ['/bin/sh', '-c', command],
    Labels: { 'berth.instance': host.instance, 'berth.vm': newVmId() },
  });
  await startContainer(engine, id, {});
  return id;
};
const run = (id: string, argv: string[]) => runInContainer(engine, id, { argv }, { deadline: 20_000 });

/** Says `220 no` to everybody, and is no SSH server. */
const otherServer =
  "import socketserver as s\nclass H(s.BaseRequestHandler):\n  def handle(self): self.request.sendall(b'220 no\\r\\n')\n" +
  "t=s.TCPServer(('', 22), H); open('/tmp/listens', 'w'); t.serve_forever()";

beforeAll(() => ensureTestImage(host));
afterAll(() => removeInstance());

describe('SSH', () => {
  it('answers with its banner, and with nothing less', async () => {
    const id = await startWith(`python3 -c "$SERVER" & exec sleep infinity`.replace('$SERVER', otherServer));
    expect((await run(id, ['sh', '-c', 'until [ -e /tmp/listens ]; do sleep 0.05; done'])).exitCode).toBe(0);
    expect((await runInContainer(engine, id, knockFor(1), { deadline: 20_000 })).exitCode).toBe(1);
    await run(id, ['pkill', 'python3']);
    const waiting = waitUntilSshAnswers(host, { containerId: id }, { signal });
    await run(id, ['sh', '-c', 'ssh-keygen -A && mkdir -p /run/sshd && /usr/sbin/sshd']);
    await waiting;
  });

  it('is not waited for in a VM whose first process has ended', async () => {
    const id = await startWith('exit 3');
    await docker.getContainer(id).wait();
    await expect(waitUntilSshAnswers(host, { containerId: id }, { signal })).rejects.toMatchObject({
      code: 'ssh-not-ready',
      detail: 'its first process ended with status 3',
    });
  });

  it('is not waited for in a VM that is gone, nor once the job is called off', async () => {
    const id = await startWith('exec sleep infinity');
    const calling = new AbortController();
    const waiting = waitUntilSshAnswers(host, { containerId: id }, { signal: calling.signal });
    calling.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    await docker.getContainer(id).remove({ force: true });
    await expect(waitUntilSshAnswers(host, { containerId: id }, { signal })).rejects.toMatchObject({
      code: 'container-vanished',
    });
  });
});
