import * as buttons from '../buttons.ts';
import * as commands from '../commands.ts';
import * as disk from '../disk.ts';
import * as eventWords from '../event-words.ts';
import * as failures from '../failures.ts';
import * as general from '../general.ts';
import * as history from '../history.ts';
import * as keys from '../keys.ts';
import * as links from '../links.ts';
import * as operations from '../operations.ts';
import * as orders from '../orders.ts';
import * as outages from '../outages.ts';
import * as overview from '../overview.ts';
import * as parts from '../parts.ts';
import * as refusals from '../refusals.ts';
import * as settings from '../settings.ts';
import * as strays from '../strays.ts';
import * as vms from '../vms.ts';
import type { Said } from './longest.ts';
import { ofOutages } from './samples-of-outages.ts';
import { ofButtons, ofCommands, ofGeneral, ofKeys, ofLinks, ofVms } from './samples-of-people.ts';
import { ofOverview, ofSettings } from './samples-of-settings.ts';
import { ofStrays } from './samples-of-strays.ts';
import {
  ofDisk,
  ofEventWords,
  ofFailures,
  ofHistory,
  ofOperations,
  ofOrders,
  ofParts,
  ofRefusals,
} from './samples-of-work.ts';

/** Every sentence of every file, as people read it at its longest. What is exported there and not here fails a test. */
export const catalogue: Record<string, { module: object; samples: Record<string, readonly Said[]> }> = {
  'buttons.ts': { module: buttons, samples: ofButtons },
  'commands.ts': { module: commands, samples: ofCommands },
  'disk.ts': { module: disk, samples: ofDisk },
  'event-words.ts': { module: eventWords, samples: ofEventWords },
  'failures.ts': { module: failures, samples: ofFailures },
  'general.ts': { module: general, samples: ofGeneral },
  'history.ts': { module: history, samples: ofHistory },
  'keys.ts': { module: keys, samples: ofKeys },
  'links.ts': { module: links, samples: ofLinks },
  'operations.ts': { module: operations, samples: ofOperations },
  'orders.ts': { module: orders, samples: ofOrders },
  'outages.ts': { module: outages, samples: ofOutages },
  'overview.ts': { module: overview, samples: ofOverview },
  'parts.ts': { module: parts, samples: ofParts },
  'refusals.ts': { module: refusals, samples: ofRefusals },
  'settings.ts': { module: settings, samples: ofSettings },
  'strays.ts': { module: strays, samples: ofStrays },
  'vms.ts': { module: vms, samples: ofVms },
};

/** Exported beside the sentences, and none: limits. */
export const noSentences = ['confirmationLifetime', 'longestLabel', 'shownOutput'];

export type Sample = Said & { file: string; name: string };

export const samples: readonly Sample[] = Object.entries(catalogue).flatMap(([file, { samples: ofFile }]) =>
  Object.entries(ofFile).flatMap(([name, said]) => said.map((each) => ({ ...each, file, name }))),
);
