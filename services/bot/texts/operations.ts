import { formatDuration } from '../format/numbers.ts';
import { bold, code, type FmtString, fmt, join, pre } from '../format/rich-text.ts';
import type { Trouble } from '../troubles.ts';
import { failureInWords } from './failures.ts';
import { type OrderInWords, orderedDone, orderedFailed, orderedOpen } from './orders.ts';
import { resultWaitsFor, waitsFor } from './outages.ts';

/** The one message of an operation, at every moment of its life. */

export type OperationInWords = {
  kind: string;
  status: string;
  name: string;
  operationId: string;
  elapsedMs: number;
  reasonCode: string | null;
  reasonDetail: string | null;
  cancelling: boolean;
  /** Jobs ahead of it; null once it has begun or when nobody knows. */
  ahead: number | null;
  step: string | null;
  stepDetail: string | null;
  /** What keeps it from being done right now. */
  trouble: Trouble | null;
  /** Null where its owner asked for it. */
  order: OrderInWords | null;
};

const present: Record<string, string> = {
  create: 'Creating',
  start: 'Starting',
  restart: 'Restarting',
  stop: 'Stopping',
  destroy: 'Destroying',
};

const infinitive: Record<string, string> = {
  create: 'create',
  start: 'start',
  restart: 'restart',
  stop: 'stop',
  destroy: 'destroy',
};

const steps: Record<string, string> = {
  image: 'Building the VM image first; this takes a few minutes, once',
  building: 'Building the VM image first; this takes a few minutes, once',
  container: 'Making the container',
  starting: 'Starting it up',
  ssh: 'Waiting for SSH',
  stopping: 'Shutting it down',
  removing: 'Removing it',
  running: 'Running',
};

/** Behind every failure stands the operation's id, by which the logs are searched. */
export const reference = (operationId: string): FmtString => fmt`\nid ${code(operationId)}`;

const waiting = ({ ahead, step, stepDetail, trouble }: OperationInWords): FmtString => {
  if (trouble !== null) return waitsFor(trouble);
  if (step !== null)
    return fmt`${steps[step] ?? step}${stepDetail === null ? '' : fmt`\n${code(stepDetail)}`}`;
  if (ahead !== null && ahead > 0)
    return fmt`Waiting: ${ahead === 1 ? '1 job is' : `${ahead} jobs are`} ahead`;
  return fmt`Asked the host`;
};

const elapsed = ({ elapsedMs }: OperationInWords): string =>
  elapsedMs < 1_000 ? '' : ` · ${formatDuration(elapsedMs)}`;

export const operationOpen = (operation: OperationInWords): FmtString =>
  fmt`${
    operation.order === null
      ? fmt`⏳ ${present[operation.kind] ?? operation.kind} ${bold(operation.name)}…`
      : orderedOpen(operation.kind, operation.name, operation.order)
  }\n${waiting(operation)}${elapsed(operation)}`;

export const created = (name: string, tookMs: number, access: FmtString): FmtString =>
  fmt`✅ ${bold(name)} is running (${formatDuration(tookMs)}).\n${access}`;
export const started = (name: string, tookMs: number, access: FmtString): FmtString =>
  fmt`✅ ${bold(name)} is running again (${formatDuration(tookMs)}).\n${access}`;
/** What was wanted has been done, and is over already. */
export const upForAMoment = (kind: string, name: string): FmtString =>
  fmt`✅ ${bold(name)} was ${kind === 'create' ? 'created' : `${kind}ed`}, and is being stopped at once.`;
export const stopped = (name: string): FmtString =>
  fmt`⏹ ${bold(name)} is stopped. Its files, port and host key stay as they are.`;
export const destroyed = (name: string): FmtString =>
  fmt`🗑 ${bold(name)} is destroyed, its home and password with it.`;

/** The same for what somebody else ordered; `access` where the VM runs now. */
export const orderDone = (
  kind: string,
  name: string,
  order: OrderInWords,
  access: FmtString | null,
): FmtString =>
  access === null ? orderedDone(kind, name, order) : fmt`${orderedDone(kind, name, order)}\n${access}`;

export const operationFailed = (operation: OperationInWords): FmtString => {
  const { what, next } = failureInWords(operation.reasonCode, operation.reasonDetail);
  const verb = infinitive[operation.kind] ?? operation.kind;
  const head =
    operation.order === null
      ? fmt`❌ Could not ${verb} ${bold(operation.name)}.`
      : orderedFailed(operation.kind, operation.name, operation.order);
  return fmt`${head}\n${what}\n${next}${reference(operation.operationId)}`;
};

const afterCancel: Record<string, string> = {
  create: 'What was made of it is being removed.',
  start: 'It is being stopped again.',
  restart: 'It is being stopped.',
};

export const operationCancelled = (operation: OperationInWords, byDestroy: boolean): FmtString =>
  fmt`✖️ Cancelled: ${infinitive[operation.kind] ?? operation.kind} ${bold(operation.name)}.${
    byDestroy || afterCancel[operation.kind] === undefined ? '' : ` ${afterCancel[operation.kind]}`
  }`;

const afterTimeout: Record<string, string> = {
  create: '/destroy clears away what was begun, then /create again.',
  start: '/status shows how it stands; try again.',
  restart: '/status shows how it stands; try again.',
  stop: '/status shows how it stands; try again.',
  destroy: 'Send /destroy again; if it stays so, tell an administrator.',
};

export const operationTimedOut = (operation: OperationInWords): FmtString =>
  fmt`⌛️ ${present[operation.kind] ?? operation.kind} ${bold(operation.name)} did not end in time: no worker answered for ${formatDuration(operation.elapsedMs)}.\n${
    afterTimeout[operation.kind] ?? ''
  }${reference(operation.operationId)}`;

export const imageBuildOpen = (operation: OperationInWords): FmtString => {
  const { step, stepDetail, ahead, trouble } = operation;
  const where =
    trouble !== null
      ? waitsFor(trouble)
      : step === null
        ? ahead !== null && ahead > 0
          ? fmt`Waiting for another build`
          : fmt`Asked the host`
        : stepDetail === null
          ? fmt`It takes a few minutes`
          : fmt`${code(stepDetail)}`;
  return fmt`🧱 Building the VM image anew…\n${where}${elapsed(operation)}`;
};
export const imageBuildDone = (host: string, tookMs: number): FmtString =>
  fmt`✅ The VM image of host ${bold(host)} is new (${formatDuration(tookMs)}). VMs made from now on have it; those that are there stay as they are.`;
export const imageBuildFailed = (operation: OperationInWords): FmtString => {
  const { what } = failureInWords(operation.reasonCode, operation.reasonDetail);
  return fmt`❌ The VM image was not built anew; the one before stays in use.\n${what}${reference(operation.operationId)}`;
};
export const imageBuildCancelled = fmt`✖️ Cancelled. The VM image stays as it was.`;
export const imageBuildTimedOut = (operation: OperationInWords): FmtString =>
  fmt`⌛️ The build of the VM image did not end within ${formatDuration(operation.elapsedMs)}. The one before stays in use.${reference(operation.operationId)}`;
export const imageIsNew = (host: string, by: FmtString | null): FmtString =>
  by === null
    ? fmt`🧱 The VM image of host ${bold(host)} was missing or out of date, and has been built.`
    : fmt`🧱 ${by} had the VM image of host ${bold(host)} built anew. VMs made from now on have it.`;

/** What `/exec` shows. The command's text and its output are put in as they are, never as markup. */
export type ExecInWords = OperationInWords & {
  command: string | null;
  output: string | null;
  exitCode: number | null;
  durationMs: number | null;
  timeoutSeconds: number;
  /** The output is longer than the message shows, or binary: a file follows. */
  asFile: boolean;
  truncated: boolean;
};

/** What fits beside command, exit line and the marks around them. */
export const shownOutput = 3_500;

const firstLine = (command: string): string => {
  const [line = '', ...rest] = command.trim().split('\n');
  const short = line.length > 200 ? `${line.slice(0, 200)}…` : line;
  return rest.length > 0 && line.length <= 200 ? `${short} …` : short;
};

const execHead = ({ name, command }: ExecInWords): FmtString =>
  command === null ? fmt`${bold(name)}` : fmt`${bold(name)} ${code(`$ ${firstLine(command)}`)}`;

export const execOpen = (exec: ExecInWords): FmtString =>
  join(
    [
      execHead(exec),
      ...(exec.output ? [pre('')(exec.output)] : []),
      exec.cancelling
        ? fmt`✖️ Cancelling…`
        : exec.step === null
          ? fmt`⏳ ${waiting(exec)}${elapsed(exec)}`
          : fmt`⏳ Running${exec.elapsedMs < 1_000 ? '' : ` for ${formatDuration(exec.elapsedMs)}`}, at most ${formatDuration(exec.timeoutSeconds * 1_000)}${exec.trouble === null ? '' : resultWaitsFor(exec.trouble)}`,
    ],
    '\n',
  );

const execBody = (exec: ExecInWords): FmtString[] => {
  if (exec.asFile) {
    return [fmt`📄 The output follows as a file${exec.truncated ? ', cut at 1 MB' : ''}.`];
  }
  return exec.output ? [pre('')(exec.output)] : [];
};

export const execEnded = (exec: ExecInWords): FmtString => {
  const took = exec.durationMs === null ? '' : ` in ${formatDuration(exec.durationMs)}`;
  const silent = !exec.asFile && !exec.output ? ' It printed nothing.' : '';
  const end =
    exec.exitCode === 0
      ? fmt`✅ Done${took}, exit code 0.${silent}`
      : fmt`⚠️ Exit code ${exec.exitCode ?? '?'}${took}.${silent}`;
  return join([execHead(exec), ...execBody(exec), end], '\n');
};

export const execTimedOut = (exec: ExecInWords): FmtString =>
  join(
    [
      execHead(exec),
      ...execBody(exec),
      fmt`⌛️ Ended after ${formatDuration(exec.timeoutSeconds * 1_000)}, the time limit. For longer work use SSH, with tmux or nohup.`,
    ],
    '\n',
  );

export const execCancelled = (exec: ExecInWords): FmtString =>
  join([execHead(exec), ...execBody(exec), fmt`✖️ Cancelled.`], '\n');

export const execFailed = (exec: ExecInWords): FmtString => {
  const { what, next } = failureInWords(exec.reasonCode, exec.reasonDetail);
  return join(
    [execHead(exec), ...execBody(exec), fmt`❌ ${what}\n${next}${reference(exec.operationId)}`],
    '\n',
  );
};

export const outputCaption = (exec: ExecInWords, lastLines: string): FmtString =>
  lastLines === ''
    ? fmt`Output${exec.truncated ? ', cut at 1 MB' : ''}`
    : fmt`${exec.truncated ? 'Cut at 1 MB. ' : ''}Last lines:\n${pre('')(lastLines)}`;
