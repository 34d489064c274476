import { strayStream, strays } from '../../../shared/stray/stray.ts';
import type { VmCommand } from '../../../shared/vm/commands.ts';
import { vm, vmStream } from '../../../shared/vm/decider.ts';
import { type BareBot, start } from './bare-bot.ts';

/** Workers for a bot that has none. */

/** What a worker or the host has to say, as the bot records it. */
export const record = ({ store }: BareBot, command: VmCommand): Promise<unknown> =>
  store.transaction((trx) =>
    store.handle(trx, vm, vmStream(command.data.vmId), command, {
      actor: null,
      chat: null,
      correlationId: `of-${command.data.vmId}`,
      causationId: null,
    }),
  );
export const openOperations = ({ store }: BareBot) =>
  store.db
    .selectFrom('operations')
    .selectAll()
    .where('status', '=', 'open')
    .orderBy('requested_at')
    .execute();

/** Later than whatever was asked before: updates take a millisecond each. */
export const at = new Date(start + 60_000).toISOString();
/** Every creation succeeds. */
export const bringUp = async (bot: BareBot): Promise<void> => {
  const vms = await bot.store.db.selectFrom('vms').selectAll().where('status', '=', 'creating').execute();
  for (const { vm_id: vmId, operation_id } of vms) {
    const facts = { containerId: 'c', hostKeyFingerprint: 'SHA256:of-the-host' };
    await record(bot, { type: 'RecordCreated', data: { operationId: operation_id!, vmId, at, ...facts } });
  }
};
export const letExit = async (bot: BareBot, name: string): Promise<void> => {
  const vms = bot.store.db.selectFrom('vms').selectAll().where('name', '=', name);
  const { vm_id: vmId, epoch } = await vms.executeTakeFirstOrThrow();
  const data = { vmId, epoch, at, cause: 'exited' as const, exitCode: 1, operationId: 'unused' };
  await record(bot, { type: 'RecordExited', data });
};
/** A look at the host that finds a VM of another database, and something else. */
export const findStrays = ({ store }: BareBot): Promise<unknown> => {
  const found = { owner: '3001', createdAt: at, running: false } as const;
  const unknown = { ...found, name: 'test-of-another', vmId: 'of-another', reason: 'unknown-vm' } as const;
  const certain = [
    { ...unknown, kind: 'container', id: 'c0ffee' } as const,
    { ...unknown, kind: 'volume', id: 'test-of-another' } as const,
    { ...found, kind: 'network', id: 'n1', name: 'strange', vmId: null, reason: 'misnamed' } as const,
  ];
  const command = { type: 'RecordStrays', data: { host: 'h1', at, present: null, certain } } as const;
  const metadata = { actor: null, chat: null, correlationId: 'look', causationId: null };
  return store.transaction((trx) => store.handle(trx, strays, strayStream('h1'), command, metadata));
};
