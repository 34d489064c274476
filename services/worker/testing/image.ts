import { findImage } from '../docker/images.ts';
import { buildImageProcessor } from '../processors/build-image.ts';
import type { VmHost } from '../vm-host.ts';
import { testContext } from './context.ts';

/** Builds the VM image where there is none; whether it is today's is up to whoever set up the tests. */
export const ensureTestImage = async (host: VmHost): Promise<void> => {
  if (await findImage(host.engine, host.vmImage, {})) return;
  await buildImageProcessor(host)({ force: false, correlationId: 'test' }, testContext());
};
