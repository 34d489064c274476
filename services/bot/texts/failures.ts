import type { FailureCode } from '../../../shared/vm/failure.ts';

/** Why an operation failed and what helps, in words. `detail` comes from the worker and holds no secret. */

type Words = { what: string; next: string };

const words: Record<FailureCode, (detail: string) => Words> = {
  'image-build-failed': (detail) => ({
    what: `The VM image could not be built${detail && `: ${detail}`}.`,
    next: 'Try again in a moment; if it stays so, tell an administrator.',
  }),
  'base-image-missing': (detail) => ({
    what: `The image that VMs are built from is not on the host and cannot be fetched${detail && `: ${detail}`}.`,
    next: 'An administrator can run ./scripts/start once more, or set VM_BASE_IMAGE.',
  }),
  'port-taken': (detail) => ({
    what: `The VM's SSH port is in use by another program on the host${detail && ` (${detail})`}.`,
    next: 'An administrator has to end that program; then try again.',
  }),
  'name-taken': (detail) => ({
    what: `The host has a container of that name that is not Berth's${detail && ` (${detail})`}; it was left alone.`,
    next: 'An administrator has to rename or remove it; then try again.',
  }),
  'docker-unreachable': () => ({
    what: 'Docker did not answer on the host.',
    next: 'Try again in a few minutes; if it stays so, tell an administrator.',
  }),
  'docker-refused': (detail) => ({
    what: `Docker refused${detail && `: ${detail}`}.`,
    next: 'Tell an administrator.',
  }),
  'container-vanished': () => ({
    what: 'The container is no longer on the host; somebody or something removed it.',
    next: '/destroy clears up what is left, /create makes a new VM.',
  }),
  'ssh-not-ready': () => ({
    what: 'The VM started, but its SSH server did not answer in time.',
    next: 'The host may be very busy: try again in a minute.',
  }),
  'gpu-unavailable': (detail) => ({
    what: `The host cannot give a GPU to the VM${detail && `: ${detail}`}.`,
    next: 'An administrator can install what is missing, or switch GPUs off with /config_gpu off.',
  }),
  'out-of-resources': (detail) => ({
    what: `The host has not enough left for this VM${detail && `: ${detail}`}.`,
    next: 'Try again later, or ask an administrator for a smaller plan.',
  }),
  'vm-not-running': () => ({ what: 'The VM stopped meanwhile.', next: '/status shows how it stands.' }),
  'outcome-unknown': () => ({
    what: 'The command was started, but what became of it is unknown: the connection to it was lost.',
    next: 'It was not run a second time. Look in the VM what it did, then decide whether to run it again.',
  }),
  'tunnel-unavailable': (detail) => ({
    what: `There is no way to the gateway from outside at the moment${detail && `: ${detail}`}.`,
    next: 'Try again in a minute; if it stays so, tell an administrator.',
  }),
  'gave-up': (detail) => ({
    what: `It failed several times, and Berth gave up${detail && ` (${detail})`}.`,
    next: 'Try again; if it stays so, tell an administrator the id below.',
  }),
};

export const failureInWords = (code: string | null, detail: string | null): Words => {
  const known = words[(code ?? 'gave-up') as FailureCode] ?? words['gave-up'];
  // The sentences bring their own full stop; an ellipsis stays.
  return known((detail ?? '').replace(/(?<!\.)\.$/, ''));
};
