import { describe, it } from 'vitest';
import { specificationFor } from '../specification.ts';
import { type ImageEvent, image } from './image.ts';

const given = specificationFor(image);
const at = '2026-01-01T00:00:00.000Z';
const build = (operationId: string) => ({ operationId, host: 'local', at });
const requested: ImageEvent = { type: 'ImageBuildRequested', data: { ...build('b1'), by: 1 } };
const built = (operationId: string, imageId: string, asked: boolean): ImageEvent => ({
  type: 'ImageBuilt',
  data: { ...build(operationId), imageId, asked },
});

describe('a rebuild of the image', () => {
  it('is one at a time', () => {
    given([])
      .when({ type: 'RequestImageBuild', data: { ...build('b1'), by: 1 } })
      .then([requested]);
    given([requested])
      .when({ type: 'RequestImageBuild', data: { ...build('b2'), by: 2 } })
      .thenThrows('image-building');
  });

  it('ends once, in whatever way', () => {
    given([requested])
      .when({ type: 'RecordImageBuilt', data: { ...build('b1'), imageId: 'i1' } })
      .then([built('b1', 'i1', true)]);
    given([requested])
      .when({ type: 'CancelImageBuild', data: build('b1') })
      .then([{ type: 'ImageBuildCancelled', data: build('b1') }]);
    const ended: ImageEvent[] = [requested, { type: 'ImageBuildTimedOut', data: build('b1') }];
    given(ended)
      .when({
        type: 'RecordImageBuildFailed',
        data: { ...build('b1'), reason: { code: 'gave-up', detail: '' } },
      })
      .then([]);
    given(ended)
      .when({ type: 'CancelImageBuild', data: build('b1') })
      .thenThrows('operation-ended');
  });

  it('is not needed for an image to be built: a creation that found none has it made', () => {
    const byItself = { type: 'RecordImageBuilt', data: { ...build('op.1.build'), imageId: 'i1' } } as const;
    given([])
      .when(byItself)
      .then([built('op.1.build', 'i1', false)]);
    given([built('op.1.build', 'i1', false)])
      .when(byItself)
      .then([]);
    given([requested])
      .when(byItself)
      .then([built('op.1.build', 'i1', false)]);
    given([requested, built('op.1.build', 'i1', false)])
      .when({ type: 'RecordImageBuilt', data: { ...build('b1'), imageId: 'i2' } })
      .then([built('b1', 'i2', true)]);
  });
});
