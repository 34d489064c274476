import type { Trouble } from '../../troubles.ts';
import * as outages from '../outages.ts';
import { host, message } from './longest.ts';
import type { Samples } from './samples-of-people.ts';

/** What people read while Redis, Docker or the disk is out. */

const troubles: Trouble[] = ['away', 'full', 'read-only', 'cannot-save', 'docker-away', 'no-worker'];

export const ofOutages: Samples<typeof outages> = {
  waitsFor: troubles.map((trouble) => message(outages.waitsFor(trouble))),
  resultWaitsFor: troubles.map((trouble) => message(outages.resultWaitsFor(trouble))),
  asLastKnown: troubles.map((trouble) => message(outages.asLastKnown(trouble))),
  outageBegan: troubles.flatMap((trouble) => [
    message(outages.outageBegan(trouble, host)),
    message(outages.outageBegan(trouble, null)),
  ]),
  outageEnded: troubles.flatMap((trouble) => [
    message(outages.outageEnded(trouble, host, 3_725_000)),
    message(outages.outageEnded(trouble, null, null)),
  ]),
  storageOut: [true, false].map((full) => message(outages.storageOut(full))),
  storageOutForAdministrators: [true, false].map((full) =>
    message(outages.storageOutForAdministrators(full)),
  ),
  storageBack: [message(outages.storageBack)],
  redisTroubleInWords: troubles.map((trouble) => message(outages.redisTroubleInWords(trouble))),
};
