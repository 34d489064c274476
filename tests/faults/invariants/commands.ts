import { operationMessageKey } from '../../../services/bot/notifications.ts';
import type { Evidence } from '../evidence.ts';
import { markShown } from '../people.ts';
import type { Invariant } from './invariant.ts';

/** The mark that the command of an operation leaves; its text stands in the operation's message. */
const markOf = ({ stored, chats }: Evidence, operationId: string): string | undefined => {
  const row = stored.messages.find(({ key }) => key === operationMessageKey(operationId));
  const message = chats.get(row?.chat_id ?? 0)?.find(({ id }) => id === row?.message_id);
  return markShown.exec(message?.text ?? '')?.[1];
};

export const atMostOnce: Invariant = {
  name: 'a command of /exec runs once at most, and once where it is told as done',
  check(evidence) {
    const { marks, stored } = evidence;
    const tooOften = [...marks].flatMap(([vmId, ofVm]) =>
      [...Map.groupBy(ofVm, (mark) => mark)].flatMap(([mark, times]) =>
        times.length > 1 ? [{ what: `the command of ${mark} ran ${times.length} times`, vmId }] : [],
      ),
    );
    const notAtAll = stored.operations.flatMap(({ kind, status, operation_id: id, vm_id: vmId }) => {
      if (kind !== 'exec' || status !== 'succeeded' || vmId === null || !marks.has(vmId)) return [];
      const mark = markOf(evidence, id);
      return mark === undefined || marks.get(vmId)!.includes(mark)
        ? []
        : [{ what: `the command of ${mark} is told as done and did not run`, vmId }];
    });
    return [...tooOften, ...notAtAll];
  },
};
