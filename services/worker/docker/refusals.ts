import { OperationError, RetryableError } from '../../../queues/errors.ts';
import { isRefusal } from './engine.ts';

/**
 * What Docker's refusals mean. It says most of them only in prose, so the words of its sources are looked for;
 * what is not recognised stays "Docker refused", with what it said.
 */

const detailLength = 300;

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, detailLength);

const portTaken = /port is already allocated|address already in use/;
const gpuMissing =
  /could not select device driver|nvidia-container|libnvidia|unknown or invalid runtime name: nvidia|CDI device/;
const hostIsFull = /no space left on device|cannot allocate memory|resource temporarily unavailable/i;
/** The VM ended, or was removed, between the look at it and what was to be done in it. */
const notRunning = /container (\S+ )?is not running/i;
const noContainer = /no such container/i;
/** Docker is there, but its own parts are not: they come back. */
const daemonIsBusy =
  /transport is closing|connection refused|context (canceled|deadline exceeded)|shutting down/;

const gpuDetail = (message: string): string => {
  if (/unresolvable CDI devices/.test(message)) {
    return 'the host has no CDI specification for nvidia.com/gpu: run nvidia-ctk cdi generate';
  }
  if (/could not select device driver "?cdi/.test(message)) return 'CDI is not switched on in Docker';
  return /could not select device driver/.test(message)
    ? 'the NVIDIA container toolkit is not installed on the host'
    : oneLine(message);
};

/**
 * The failure that people are told, for anything a processor threw; errors that are no refusal stay as they
 * are. What Docker could not do now (5xx) may succeed later, what it does not understand (4xx) will not.
 */
export const explainRefusal = (error: unknown): unknown => {
  if (!isRefusal(error)) return error;
  const { message, status } = error;
  if (gpuMissing.test(message)) return new OperationError('gpu-unavailable', gpuDetail(message));
  if (portTaken.test(message)) return new OperationError('port-taken', '');
  if (notRunning.test(message)) return new OperationError('vm-not-running', '');
  if (noContainer.test(message)) return new OperationError('container-vanished', '');
  if (hostIsFull.test(message)) return new OperationError('out-of-resources', oneLine(message));
  if (daemonIsBusy.test(message)) return new RetryableError('docker-unreachable', oneLine(message));
  return status >= 500
    ? new RetryableError('docker-refused', oneLine(message))
    : new OperationError('docker-refused', oneLine(message));
};
