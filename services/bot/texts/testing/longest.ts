import type { GpuOffer, HostFacts } from '../../../../queues/host-facts.ts';
import { GIB } from '../../../../shared/vm/limits.ts';
import { type Button, type FmtString, fmt } from '../../format/rich-text.ts';
import { personInWords, usage } from '../general.ts';
import { type ExecInWords, type OperationInWords, shownOutput } from '../operations.ts';
import type { OrderInWords } from '../orders.ts';

/** What goes into sentences, at its longest: names, ids and reasons as long as the bot ever takes or gives them. */

/** One thing that people read. A toast is what Telegram shows over the chat after a button. */
export type Said = { as: 'message' | 'toast' | 'caption'; text: FmtString; buttons: Button[][] };

export const message = (text: FmtString | string, buttons: Button[][] = []): Said => ({
  as: 'message',
  text: typeof text === 'string' ? fmt`${text}` : text,
  buttons,
});
export const toast = (text: string): Said => ({ ...message(text), as: 'toast' });
export const caption = (text: FmtString): Said => ({ ...message(text), as: 'caption' });

/** What was wrong with an argument is read in the usage of its command. */
export const fault = (problem: string): Said =>
  message(
    usage(
      {
        name: 'config_plan',
        usage: '<plan> <field> <value>',
        summary: '',
        example: '/force_stop 123456789 the GPU is needed for a demo',
      },
      problem,
    ),
  );

export const id = 'k3j9x2a1m5n7';
export const vmName = 'w'.repeat(32);
export const vmNames = Array.from({ length: 10 }, (_, index) => `${'m'.repeat(30)}-${index}`);
/** As Docker takes it, and longer than a screen is wide. */
export const longName = `${'n'.repeat(200)}-end`;
export const planName = 'Enterprise-Plan-2026';
export const userId = Number.MAX_SAFE_INTEGER - 1;
export const username = 'u'.repeat(32);
export const firstName = 'F'.repeat(64);
export const person = personInWords(userId, { firstName, username });
export const detail = 'd'.repeat(500);
export const note = `because ${'r'.repeat(292)}`;
export const typed = 'x'.repeat(4_000);
export const host = 'h'.repeat(63);
export const publicHost = `${'h'.repeat(60)}.${'e'.repeat(60)}.example.org`;
export const fingerprint = `SHA256:${'W'.repeat(43)}`;
export const time = '2026-11-24T22:35:00.000Z';

export const statuses = [
  'creating',
  'starting',
  'running',
  'stopping',
  'stopped',
  'destroying',
  'destroyed',
  'failed',
  'lost',
] as const;

export const vmRow = (status: string, name = vmName) => ({
  vm_id: 'k3j9x2a1m5n7',
  name,
  status,
  plan: planName,
  epoch: 99_999,
  memory_bytes: 16 * GIB,
  cpus: 0.5,
  disk_bytes: 500 * GIB,
  gpu: 1,
  sudo: 0,
  ssh_port: 22_999,
  host_key_fingerprint: fingerprint,
  running_since: '2026-01-01T00:00:00.000Z',
});

export const plan = {
  plan_id: '3',
  name: planName,
  memory_bytes: 16 * GIB,
  cpus: 0.5,
  disk_bytes: 500 * GIB,
  max_vms: 100,
  sudo: 0,
};

export const operation: OperationInWords = {
  kind: 'create',
  status: 'open',
  name: vmName,
  operationId: id,
  elapsedMs: 3_725_000,
  reasonCode: 'image-build-failed',
  reasonDetail: detail,
  cancelling: false,
  ahead: 3,
  step: null,
  stepDetail: null,
  trouble: null,
  order: null,
};

export const exec: ExecInWords = {
  ...operation,
  kind: 'exec',
  command: `${'c'.repeat(3_000)}\nmore`,
  output: 'o'.repeat(shownOutput),
  exitCode: 127,
  durationMs: 59_999,
  timeoutSeconds: 86_400,
  asFile: false,
  truncated: false,
};

export const key = {
  type: 'sk-ecdsa-sha2-nistp256@openssh.com',
  bits: 256,
  fingerprint,
  comment: 'c'.repeat(60),
};

export const orders: OrderInWords[] = [
  ...['maintenance', 'host-restarted', 'user-removed'].map((reason) => ({ reason, who: null, note: null })),
  { reason: 'administrator', who: person, note },
  { reason: 'disk-full', who: null, note: null, disk: { usedBytes: 551.2 * GIB, limitBytes: 500 * GIB } },
];

export const gpuOffers: Record<'none' | 'refused' | 'cdi' | 'nvidia', GpuOffer | null> = {
  none: null,
  refused: { way: null, devices: [], problem: 'p'.repeat(450) },
  cdi: { way: 'cdi', devices: [], problem: null },
  nvidia: {
    way: 'nvidia',
    devices: ['/dev/nvidia0', '/dev/nvidia1', '/dev/nvidiactl', '/dev/nvidia-uvm', '/dev/nvidia-modeset'],
    problem: null,
  },
};

export const facts: HostFacts = {
  dockerVersion: '20.10.24+dfsg1',
  operatingSystem: 'Debian GNU/Linux 13 (trixie) (containerized)',
  kernel: '6.12.41+deb13-amd64',
  cpus: 128,
  memoryBytes: 1_024 * GIB,
  storageDriver: 'fuse-overlayfs',
  cgroupVersion: '2',
  runtimes: ['runc'],
  vmRuntime: 'runc',
  protections: {
    seccomp: true,
    appArmor: false,
    userNamespaces: false,
    memoryLimit: true,
    swapLimit: false,
    pidsLimit: true,
    diskLimit: false,
  },
  firewall: { problem: 'not-permitted', detail: 'd'.repeat(200), mayReach: [] },
  disk: { totalBytes: 7_000 * GIB, freeBytes: 6_543 * GIB },
  gpu: gpuOffers.nvidia,
  image: { name: `berth-vm:${'t'.repeat(40)}`, id: fingerprint, createdAt: time, current: false },
};
