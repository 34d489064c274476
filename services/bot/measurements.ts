import { measureVms, type Report } from '../../queues/catalog.ts';
import type { Producer } from '../../queues/producer.ts';
import type { Log } from '../../shared/log.ts';
import type { Aftermath, Db } from './conversation.ts';
import { newId } from './new-id.ts';
import type { ProgressBoard } from './progress-board.ts';
import { findVm } from './queries.ts';
import type { Terminals } from './terminals.ts';

/** Live figures for `/status`: asked of the VM's host, and put into the message when they come. May never come. */

type Dependencies = {
  db: Db;
  producer: Pick<Producer, 'add'>;
  board: ProgressBoard;
  refresh: (messageKey: string) => void;
  /** Open terminals are looked at beside. */
  terminals: Pick<Terminals, 'look'>;
  log: Log;
};

/** Questions nobody answered are forgotten after so many newer ones. */
const remembered = 1_000;

export const createMeasurements = ({ db, producer, board, refresh, terminals, log }: Dependencies) => {
  const asked = new Map<string, string[]>();

  const askHost = async (host: string, wanted: Aftermath['measurements'], correlationId: string) => {
    const requestId = `measure-${newId()}`;
    asked.set(
      requestId,
      wanted.map(({ key }) => key),
    );
    const [oldest] = asked.keys();
    if (asked.size > remembered && oldest !== undefined) asked.delete(oldest);
    const vmIds = wanted.map(({ vmId }) => vmId);
    await producer.add({
      jobName: measureVms.name,
      host,
      jobId: requestId,
      payload: { requestId, vmIds, correlationId },
    });
  };

  const ask = async (wanted: Aftermath['measurements'], correlationId: string): Promise<void> => {
    const byHost = new Map<string, Aftermath['measurements']>();
    for (const one of wanted) {
      const vm = await findVm(db, one.vmId);
      if (vm?.status === 'running') byHost.set(vm.host, [...(byHost.get(vm.host) ?? []), one]);
    }
    void terminals.look();
    await Promise.all([...byHost].map(([host, ofHost]) => askHost(host, ofHost, correlationId)));
  };

  return {
    ask: (wanted: Aftermath['measurements'], correlationId: string): void => {
      ask(wanted, correlationId).catch((err) =>
        log.warn({ err, correlationId }, 'live figures could not be asked for'),
      );
    },
    record({ operationId, outcome }: Report): void {
      const keys = asked.get(operationId) ?? [];
      asked.delete(operationId);
      if (outcome.kind !== 'succeeded') return;
      for (const { vmId, ...figures } of measureVms.result.parse(outcome.result).vms)
        board.setFigures(vmId, figures);
      for (const key of new Set(keys)) refresh(key);
    },
  };
};
