import { type Decider, IllegalStateError, type Message } from '../decider.ts';
import type { Failure } from '../vm/failure.ts';

/**
 * The image that a host's VMs are made from, as far as somebody asks for a new one. A build is an operation without a VM:
 * it has the same ends as the others. `by`: the administrator's Telegram id.
 */

type Build = { operationId: string; host: string; at: string };
export type ImageBuildRequested = Message<'ImageBuildRequested', Build & { by: number }>;
/** Also when a creation found the image missing and had it built: then under an operation that nobody asked for. */
export type ImageBuilt = Message<'ImageBuilt', Build & { imageId: string; asked: boolean }>;
export type ImageBuildFailed = Message<'ImageBuildFailed', Build & { reason: Failure }>;
export type ImageBuildCancelled = Message<'ImageBuildCancelled', Build>;
export type ImageBuildTimedOut = Message<'ImageBuildTimedOut', Build>;
export type ImageEvent =
  | ImageBuildRequested
  | ImageBuilt
  | ImageBuildFailed
  | ImageBuildCancelled
  | ImageBuildTimedOut;

export type RequestImageBuild = Message<'RequestImageBuild', ImageBuildRequested['data']>;
/** Outcomes are delivered at least once: one that no longer fits yields no event. */
export type RecordImageBuilt = Message<'RecordImageBuilt', Build & { imageId: string }>;
export type RecordImageBuildFailed = Message<'RecordImageBuildFailed', ImageBuildFailed['data']>;
export type RecordImageBuildTimedOut = Message<'RecordImageBuildTimedOut', Build>;
export type CancelImageBuild = Message<'CancelImageBuild', Build>;
export type ImageCommand =
  | RequestImageBuild
  | RecordImageBuilt
  | RecordImageBuildFailed
  | RecordImageBuildTimedOut
  | CancelImageBuild;

export type Image = Readonly<{ operationId: string | null; imageId: string | null }>;

export const initialState: Image = { operationId: null, imageId: null };

export const evolve = (image: Image, { type, data }: ImageEvent): Image => {
  switch (type) {
    case 'ImageBuildRequested':
      return { ...image, operationId: data.operationId };
    case 'ImageBuilt':
      return { imageId: data.imageId, operationId: data.asked ? null : image.operationId };
    case 'ImageBuildFailed':
    case 'ImageBuildCancelled':
    case 'ImageBuildTimedOut':
      return { ...image, operationId: null };
  }
};

export const decide = ({ type, data }: ImageCommand, image: Image): ImageEvent[] => {
  const isInFlight = image.operationId === data.operationId;
  switch (type) {
    case 'RequestImageBuild':
      if (image.operationId !== null)
        throw new IllegalStateError('image-building', 'the image is being built already');
      return [{ type: 'ImageBuildRequested', data }];
    case 'RecordImageBuilt':
      if (isInFlight) return [{ type: 'ImageBuilt', data: { ...data, asked: true } }];
      return image.imageId === data.imageId ? [] : [{ type: 'ImageBuilt', data: { ...data, asked: false } }];
    case 'RecordImageBuildFailed':
      return isInFlight ? [{ type: 'ImageBuildFailed', data }] : [];
    case 'RecordImageBuildTimedOut':
      return isInFlight ? [{ type: 'ImageBuildTimedOut', data }] : [];
    case 'CancelImageBuild':
      if (!isInFlight) throw new IllegalStateError('operation-ended', 'the build has ended');
      return [{ type: 'ImageBuildCancelled', data }];
  }
};

export const image: Decider<Image, ImageCommand, ImageEvent> = { initialState, decide, evolve };

export const imageStream = (host: string): string => `image-${host}`;
