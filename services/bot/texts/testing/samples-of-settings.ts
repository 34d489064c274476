import { GIB } from '../../../../shared/vm/limits.ts';
import * as buttons from '../buttons.ts';
import * as overview from '../overview.ts';
import * as settings from '../settings.ts';
import {
  facts,
  fault,
  gpuOffers,
  host,
  message,
  person,
  plan,
  planName,
  time,
  typed,
  vmName,
} from './longest.ts';
import type { Samples } from './samples-of-people.ts';
import { many } from './samples-of-strays.ts';

/** What administrators read about plans, settings and hosts. */

const offers = Object.values(gpuOffers);

export const ofSettings: Samples<typeof settings> = {
  memorySet: [true, false].map((changed) => message(settings.memorySet(16 * GIB, changed))),
  cpusSet: [true, false].map((changed) => message(settings.cpusSet(0.5, changed))),
  gpuOfferInWords: offers.map((offer) => message(settings.gpuOfferInWords(offer))),
  gpuSwitchedOn: [
    ...offers.map((offer) => message(settings.gpuSwitchedOn(offer, true))),
    message(settings.gpuSwitchedOn(null, false)),
  ],
  gpuSwitchedOff: [message(settings.gpuSwitchedOff)],
  gpuUnchanged: [true, false].map((on) => message(settings.gpuUnchanged(on))),
  planInWords: [message(settings.planInWords(plan)), message(settings.planInWords({ ...plan, max_vms: 0 }))],
  planChanged: [true, false].map((changed) => message(settings.planChanged(plan, changed))),
  unchecked: [message(settings.unchecked)],
  diskOfHost: [message(settings.diskOfHost(7_000 * GIB))],
  badSize: [fault(settings.badSize(typed)), fault(settings.badSize(''))],
  badCpus: [fault(settings.badCpus(typed)), fault(settings.badCpus(''))],
  badSwitch: [fault(settings.badSwitch)],
  memoryTooSmall: [fault(settings.memoryTooSmall(128 * 1024 ** 2))],
  memoryTooLarge: [fault(settings.memoryTooLarge(typed, 4 * GIB))],
  cpusTooFew: [fault(settings.cpusTooFew(0.1))],
  cpusTooMany: [fault(settings.cpusTooMany('1000', 2))],
  diskTooSmall: [fault(settings.diskTooSmall(GIB))],
  sizeTooLarge: [fault(settings.sizeTooLarge)],
  badMaxVms: [fault(settings.badMaxVms(typed, 100)), fault(settings.badMaxVms('', 100))],
  badPlanName: [fault(settings.badPlanName)],
  planNameTaken: [fault(settings.planNameTaken(planName))],
  planArgumentsMissing: [fault(settings.planArgumentsMissing)],
  planFieldUnknown: [fault(settings.planFieldUnknown(typed))],
  maintenanceOnAlready: [message(settings.maintenanceOnAlready('24 Nov 22:35'))],
  maintenanceOffAlready: [message(settings.maintenanceOffAlready)],
  inMaintenance: [message(settings.inMaintenance)],
  imageBuildingAlready: [message(settings.imageBuildingAlready)],
};

const busyQueue = {
  kind: 'lifecycle' as const,
  waiting: 99,
  active: 12,
  delayed: 3,
  oldestWaitMs: 3_725_000,
};
const known: overview.HostInWords = {
  host,
  facts,
  gpu: gpuOffers.nvidia,
  workers: [
    { pid: 4_194_304, startedAt: time },
    { pid: 4_194_303, startedAt: time },
  ],
  queues: [busyQueue, { ...busyQueue, kind: 'exec', oldestWaitMs: null, delayed: 0 }],
  given: { memoryBytes: 1_000 * GIB, cpus: 127.5 },
  disks: { at: time, measured: 180, unknown: 20, slow: 3 },
};
const full: overview.Overview = {
  instance: 'i'.repeat(32),
  defaults: { memoryBytes: 2 * GIB, cpus: 1, diskBytes: 20 * GIB, maxVms: 1, gpu: true },
  maintenanceSince: time,
  people: { administrators: 2, allowed: 200, asking: 3 },
  vms: { running: 150, stopped: 40, creating: 5, failed: 5 },
  strays: many(9),
  redis: 'cannot-save',
  gateways: [
    {
      gatewayId: 'g1',
      pid: 4_194_304,
      startedAt: '2026-11-24T12:00:00.000Z',
      at: '2026-11-24T12:00:00.000Z',
      tunnel: {
        way: 'quick',
        origin: `https://${'some-words-'.repeat(5)}x.trycloudflare.com`,
        program: { version: '2026.11.1' },
        wanted: true,
        connected: false,
        since: '2026-11-24T12:00:00.000Z',
        lastProblem: {
          text: 'Cloudflare gives no more quick tunnels at the moment (429)',
          at: '2026-11-24T12:00:00.000Z',
        },
        restarts: 12,
      },
    },
  ],
  hosts: [known],
};
const protectedFacts = {
  ...facts,
  firewall: { problem: null, detail: '', mayReach: ['10.0.0.5:443', '[fd00::/64]:8443'] },
  vmRuntime: 'runsc',
  image: null,
  disk: null,
  protections: { ...facts.protections, diskLimit: true },
};
const line: overview.VmLine = {
  name: vmName,
  owner: person,
  status: 'creating',
  plan: planName,
  port: 22_999,
  gpu: true,
};

export const ofOverview: Samples<typeof overview> = {
  overviewInWords: [
    message(overview.overviewInWords(full)),
    message(
      overview.overviewInWords({
        ...full,
        maintenanceSince: null,
        people: { administrators: 1, allowed: 0, asking: 0 },
        vms: {},
        hosts: [
          { ...known, facts: null, gpu: null, workers: [], queues: [], disks: null },
          { ...known, facts: null, gpu: gpuOffers.refused },
          { ...known, facts: protectedFacts, gpu: gpuOffers.cdi },
          { ...known, facts: { ...facts, firewall: null } },
        ],
      }),
    ),
  ],
  vmListPage: [
    message(
      overview.vmListPage(Array(20).fill(line), { page: 1, pages: 3, all: 60 }),
      buttons.pageButtons('vm-list', 1, 3),
    ),
    message(
      overview.vmListPage([{ ...line, plan: null, gpu: false }], { page: 0, pages: 1, all: 1 }),
      buttons.pageButtons('vm-list', 0, 1),
    ),
  ],
};
