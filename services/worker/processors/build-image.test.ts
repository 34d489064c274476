import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readProgress } from '../docker/progress-stream.ts';
import { testContext } from '../testing/context.ts';
import { ensureTestImage } from '../testing/image.ts';
import { docker, testHost } from '../testing/vm-host.ts';
import type { VmRecipe } from '../vm-recipe.ts';
import { buildImageProcessor } from './build-image.ts';

const vmImage = `berth-test-${randomBytes(5).toString('hex')}:latest`;
const base = testHost();
const host = { ...base, vmImage, vmBaseImage: base.vmImage };
const order = { force: false, correlationId: 'test' };
let folder = '';

beforeAll(async () => {
  await ensureTestImage(base);
  folder = await mkdtemp(join(tmpdir(), 'berth-recipe-'));
  await writeFile(join(folder, 'hello'), 'hello');
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await docker.getImage(vmImage).remove({ force: true });
});

/** A processor that builds from these lines, on top of the VM image. */
const building = (lines: string[], hash = 'first', changes = {}) =>
  buildImageProcessor({ ...host, ...changes }, async (): Promise<VmRecipe> => {
    await writeFile(
      join(folder, 'Dockerfile.vm'),
      ['ARG BASE_IMAGE', 'FROM $BASE_IMAGE', ...lines].join('\n'),
    );
    return { context: folder, dockerfile: 'Dockerfile.vm', files: ['Dockerfile.vm', 'hello'], hash };
  });

describe('building the VM image', () => {
  it('shows its steps, and is done at once when the recipe has been built already', async () => {
    const context = testContext();
    const { imageId, built } = await building(['COPY hello /hello'])(order, context);
    expect(built).toBe(true);
    expect(context.steps).toContainEqual(
      expect.stringMatching(/^building: Step 3\/\d : COPY hello \/hello$/),
    );
    const image = await docker.getImage(vmImage).inspect();
    expect(image).toMatchObject({ Id: imageId, Config: { Labels: { 'berth.recipe': 'first' } } });

    const again = testContext();
    expect(await building(['COPY hello /hello'])(order, again)).toEqual({ imageId, built: false });
    expect(again.steps).toEqual([]);
  });

  it('builds again for another recipe, and when it is told to', async () => {
    const changed = testContext();
    const second = await building(['COPY hello /hi'], 'second')(order, changed);
    expect(changed.steps).not.toEqual([]);
    const forced = await building(['COPY hello /hi'], 'second')({ ...order, force: true }, testContext());
    expect(forced.imageId).not.toBe(second.imageId);
  });

  it('fails with the step and the last words of a build that fails', async () => {
    const failing = building(['RUN echo "E: no such package" >&2; exit 7'], 'third')(order, testContext());
    await expect(failing).rejects.toMatchObject({
      name: 'OperationError',
      code: 'image-build-failed',
      detail: expect.stringMatching(/^Step 3\/4 : RUN .*E: no such package.*code: 7$/),
    });
    expect((await docker.getImage(vmImage).inspect()).Config.Labels?.['berth.recipe']).not.toBe('third');
  });

  it('fails with what is wrong in a recipe that Docker does not understand', async () => {
    await expect(building(['NONSENSE'], 'fourth')(order, testContext())).rejects.toMatchObject({
      code: 'image-build-failed',
      detail: expect.stringContaining('NONSENSE'),
    });
  });

  it('says how to get a base image that is not there and cannot be pulled', async () => {
    const vmBaseImage = '127.0.0.1:1/no-such-base:latest';
    await expect(building([], 'fifth', { vmBaseImage })(order, testContext())).rejects.toMatchObject({
      name: 'OperationError',
      code: 'base-image-missing',
      detail: expect.stringContaining(`docker pull ${vmBaseImage}`),
    });
  });

  it.each([
    ['before it begins', () => true],
    ['in the middle of a step', (lines: string[]) => lines.some((line) => /RUN echo begun/.test(line))],
  ])('ends at once when it is cancelled %s, and leaves no container', async (_when, isTime) => {
    const context = testContext();
    const marker = `sleep 20 # ${randomBytes(5).toString('hex')}`;
    const cancelled = building([`RUN echo begun; ${marker}`], 'sixth')(order, context);
    cancelled.catch(() => 'looked at below');
    await vi.waitFor(() => expect(isTime(context.steps)).toBe(true), 10_000);
    const builders = async () => {
      const all = await docker.listContainers({ all: true });
      return all.filter(({ Command }) => Command.includes(marker)).length;
    };
    if (context.steps.length > 0) await vi.waitFor(async () => expect(await builders()).toBe(1), 5_000);
    const begun = performance.now();
    context.cancel();
    await expect(cancelled).rejects.toMatchObject({ name: 'CancelledError' });
    expect(performance.now() - begun).toBeLessThan(1_000);
    await vi.waitFor(async () => expect(await builders()).toBe(0), 10_000);
  });

  it.each([
    ['is cancelled', 'sleep 20', 'CancelledError'],
    ['fails', 'exit 1', 'OperationError'],
  ])('leaves no image behind when it was forced and %s', async (_how, last, name) => {
    const context = testContext();
    const mark = randomBytes(5).toString('hex');
    const lines = [`RUN echo ${mark} >/mark`, `RUN ${last}`];
    const ended = building(lines, 'seventh')({ ...order, force: true }, context);
    ended.catch(() => 'looked at below');
    await vi.waitFor(() => expect(context.steps.at(-1)).toContain(`RUN ${last}`), 10_000);
    const made = async () => {
      const all = await docker.listImages({ filters: { dangling: ['true'] } });
      const histories = await Promise.all(
        all.map(({ Id }) =>
          docker
            .getImage(Id)
            .history()
            .catch(() => []),
        ),
      );
      return histories.filter((history: { CreatedBy: string }[]) =>
        history.some(({ CreatedBy }) => CreatedBy.includes(mark)),
      ).length;
    };
    if (name === 'CancelledError') {
      expect(await made()).toBe(1);
      context.cancel();
    }
    await expect(ended).rejects.toMatchObject({ name });
    await vi.waitFor(async () => expect(await made()).toBe(0), 10_000);
  });
});

describe('a progress stream', () => {
  const read = async (...pieces: string[]) => {
    const lines: unknown[] = [];
    const error = await readProgress(Readable.from(pieces.map((piece) => Buffer.from(piece))), (line) =>
      lines.push(line),
    );
    return { error, lines };
  };

  it('that ends in an error is a failure', async () => {
    expect(await read('{"stream":"a"}\r\n', '{"error":"no', '"}\n')).toMatchObject({ error: 'no' });
    expect(await read('{"error":"no"}')).toMatchObject({ error: 'no' });
  });

  it('may hold lines that are no JSON', async () => {
    expect(await read('{"stream":"a"}\n<html>\n\n3\n{"stream":"b"}\n')).toEqual({
      error: null,
      lines: [{ stream: 'a' }, {}, {}, {}, { stream: 'b' }],
    });
  });

  it('that breaks is neither', async () => {
    const broken = new Readable({ read() {} });
    const reading = readProgress(broken, () => {});
    broken.push('{"stream":"a"}\n');
    broken.destroy(new Error('reset'));
    await expect(reading).rejects.toThrow('reset');
  });
});
