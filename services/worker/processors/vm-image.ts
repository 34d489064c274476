import { buildImage } from '../../../queues/catalog.ts';
import type { Context } from '../../../queues/consumer.ts';
import { OperationError } from '../../../queues/errors.ts';
import { findImage } from '../docker/images.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';

const isThere = ({ engine, vmImage }: VmHost, context: Context): Promise<boolean> =>
  withMeaning(context, async () => (await findImage(engine, vmImage, context)) !== undefined);

/**
 * Sees that the image VMs are made from is there, and has it built where it is missing; meanwhile the job is
 * set aside, so that others go on. What the build fails with, the creation fails with.
 */
export const ensureVmImage = async (
  host: VmHost,
  { correlationId }: { correlationId: string },
  context: Context,
): Promise<void> => {
  if (await isThere(host, context)) return;
  await context.progress('image');
  context.log.info({ image: host.vmImage }, 'the VM image is missing; having it built');
  const outcome = await context.runFirst(buildImage, { force: false, correlationId });
  if (outcome.kind === 'failed') throw new OperationError(outcome.reason.code, outcome.reason.detail);
  if (await isThere(host, context)) return;
  throw new OperationError('image-build-failed', `${host.vmImage} is not there after its build`);
};
