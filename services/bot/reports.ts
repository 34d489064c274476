import { catalog, type Outcome, type Report } from '../../queues/catalog.ts';
import type { Producer } from '../../queues/producer.ts';
import { type ImageCommand, image, imageStream } from '../../shared/image/image.ts';
import { link, linkStream } from '../../shared/link/link.ts';
import type { Log } from '../../shared/log.ts';
import type { Vault } from '../../shared/secrets/vault.ts';
import { type StrayCommand, strayStream, strays } from '../../shared/stray/stray.ts';
import type { VmCommand } from '../../shared/vm/commands.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';
import type { PortRange } from './env.ts';
import { linkCommandFor } from './links.ts';
import { operationMessageKey } from './notifications.ts';
import { pickPort } from './ports.ts';
import { findOperation, findVm } from './queries.ts';
import { execCommandName, execOutputName, linkVaultId, ticketName } from './sealed-names.ts';
import type { DomainEvent } from './store/domain-event.ts';
import { isVmOperation, type OperationRow, type VmOperationRow } from './store/schema.ts';
import type { Store, Trx } from './store/store.ts';
import { showAgain } from './telegram/messages.ts';

/**
 * Turns what workers report into events. Reports come at least once, late, and after something else was decided: the
 * decider takes those that fit; the others change nothing.
 */

type Dependencies = {
  store: Pick<Store, 'db' | 'transaction' | 'handle'>;
  vault: Vault;
  producer: Pick<Producer, 'readPrivate' | 'forgetPrivate' | 'issueTicket'>;
  config: { SSH_PORT_RANGE: PortRange };
  log: Log;
};

type Ids = { operationId: string; vmId: string; at: string };

/** The command that records a success, by the operation's kind. */
const successCommand = (kind: string, ids: Ids, result: unknown): VmCommand => {
  switch (kind) {
    case 'create':
      return { type: 'RecordCreated', data: { ...ids, ...catalog.createVm.result.parse(result) } };
    case 'start':
      return { type: 'RecordStarted', data: ids };
    case 'restart':
      return { type: 'RecordRestarted', data: ids };
    case 'stop':
      return { type: 'RecordStopped', data: ids };
    case 'destroy':
      return { type: 'RecordDestroyed', data: ids };
    case 'access':
      return { type: 'RecordAccessUpdated', data: ids };
    default: {
      const { timedOut, ...finished } = catalog.exec.result.parse(result);
      return timedOut
        ? { type: 'RecordTimedOut', data: ids }
        : { type: 'RecordExecFinished', data: { ...ids, ...finished } };
    }
  }
};

const commandFor = async (
  trx: Trx,
  operation: VmOperationRow,
  outcome: Outcome,
  at: string,
  range: PortRange,
): Promise<VmCommand> => {
  const ids: Ids = { operationId: operation.operation_id, vmId: operation.vm_id, at };
  switch (outcome.kind) {
    case 'succeeded':
      return successCommand(operation.kind, ids, outcome.result);
    case 'cancelled':
      return { type: 'RecordCancelled', data: ids };
    case 'failed': {
      if (operation.kind === 'create' && outcome.reason.code === 'port-taken') {
        const row = await findVm(trx, operation.vm_id);
        const port = row && (await pickPort(trx, operation.host, range, row.ssh_port));
        // Another program has this port; as long as there are others, the person need not know.
        if (port && operation.attempt <= mostPortAttempts) {
          return { type: 'ReassignPort', data: { ...ids, sshPort: port } };
        }
      }
      return { type: 'RecordFailed', data: { ...ids, reason: outcome.reason } };
    }
  }
};

const mostPortAttempts = 20;

/** The same for a build of the image. */
const imageCommandFor = (
  { operation_id: operationId, host }: OperationRow,
  outcome: Outcome,
  at: string,
): ImageCommand => {
  const ids = { operationId, host, at };
  switch (outcome.kind) {
    case 'succeeded': {
      const { imageId } = catalog.buildImage.result.parse(outcome.result);
      return { type: 'RecordImageBuilt', data: { ...ids, imageId } };
    }
    case 'failed':
      return { type: 'RecordImageBuildFailed', data: { ...ids, reason: outcome.reason } };
    case 'cancelled':
      return { type: 'CancelImageBuild', data: ids };
  }
};

/** The same for a removal of strays. Nobody cancels one: a job that says so was given up. */
const strayCommandFor = (
  { operation_id: operationId, host }: OperationRow,
  outcome: Outcome,
  at: string,
): StrayCommand => {
  const ids = { operationId, host, at };
  if (outcome.kind === 'succeeded') return { type: 'RecordStraysRemoved', data: ids };
  const reason = outcome.kind === 'failed' ? outcome.reason : { code: 'gave-up' as const, detail: '' };
  return { type: 'RecordStrayRemovalFailed', data: { ...ids, reason } };
};

/** Rejects only when the storage or Redis is out; then the report must come again. */
export const recordReport = async (
  { store, vault, producer, config, log }: Dependencies,
  { operationId, jobId, outcome, at }: Pick<Report, 'operationId' | 'jobId' | 'outcome' | 'at'>,
): Promise<void> => {
  const outputName = execOutputName(operationId);
  // Before the transaction: nothing foreign is waited for inside one. Without it an output would be lost for good.
  const output = await producer.readPrivate(outputName);
  const known = await findOperation(store.db, operationId);
  const offered =
    known?.kind === 'link' && known.status === 'open'
      ? await linkCommandFor({ db: store.db, issueTicket: producer.issueTicket }, known, outcome, at)
      : null;
  const events = await store.transaction(async (trx): Promise<DomainEvent[]> => {
    const operation = await findOperation(trx, operationId);
    // Its VM's end came first; what it had printed is told all the same.
    const isLate = operation?.kind === 'exec' && operation.status !== 'open' && output !== null;
    if (isLate && isVmOperation(operation)) {
      const known = await vault.unsealBytes(trx, operation.vm_id, outputName);
      const vmRow = await findVm(trx, operation.vm_id);
      if (known === null && vmRow !== undefined && vmRow.status !== 'destroyed') {
        await vault.sealBytes(trx, operation.vm_id, outputName, output);
        await showAgain(trx, operationMessageKey(operationId));
      }
      return [];
    }
    // Of an operation with several jobs only the newest one's word counts.
    if (
      operation === undefined ||
      operation.status !== 'open' ||
      jobId !== `${operationId}.${operation.attempt}`
    ) {
      return [];
    }
    const metadata = {
      actor: null,
      chat: operation.chat,
      correlationId: operation.correlation_id,
      causationId: `report-${jobId}`,
    };
    if (offered !== null) {
      const { command, ticket } = offered;
      if (ticket !== null) await vault.seal(trx, linkVaultId(operationId), ticketName, ticket);
      return (await store.handle(trx, link, linkStream(operationId), command, metadata)).events;
    }
    if (operation.kind === 'remove-strays') {
      const command = strayCommandFor(operation, outcome, at);
      return (await store.handle(trx, strays, strayStream(operation.host), command, metadata)).events;
    }
    if (!isVmOperation(operation)) {
      const command = imageCommandFor(operation, outcome, at);
      return (await store.handle(trx, image, imageStream(operation.host), command, metadata)).events;
    }
    if (output !== null) await vault.sealBytes(trx, operation.vm_id, outputName, output);
    const command = await commandFor(trx, operation, outcome, at, config.SSH_PORT_RANGE);
    return (await store.handle(trx, vm, vmStream(operation.vm_id), command, metadata)).events;
  });
  const types = events.map(({ type }) => type);
  if (types.length === 0) log.debug({ operationId, outcome: outcome.kind }, 'a report that no longer fits');
  else log.info({ operationId, correlationId: known?.correlation_id, events: types }, 'outcome recorded');
  await producer
    .forgetPrivate(outputName, execCommandName(operationId))
    .catch((err) => log.debug({ err }, 'left'));
};

/** A build: of the image that somebody asked for, or that a creation had made because there was none. */
export const recordImage = async (
  { store, record, host }: { store: Store; record: (report: Report) => Promise<void>; host: string },
  report: Report,
): Promise<void> => {
  const { operationId, outcome, at } = report;
  if ((await findOperation(store.db, operationId)) !== undefined) return record(report);
  if (outcome.kind !== 'succeeded') return;
  const { imageId, built } = catalog.buildImage.result.parse(outcome.result);
  if (!built) return;
  await store.transaction(async (trx) => {
    const metadata = { actor: null, chat: null, correlationId: operationId, causationId: 'report' };
    const command = { type: 'RecordImageBuilt', data: { operationId, host, imageId, at } } as const;
    await store.handle(trx, image, imageStream(host), command, metadata);
  });
};
