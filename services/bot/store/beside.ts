import { AsyncLocalStorage } from 'node:async_hooks';
import type { KyselyPlugin } from 'kysely';

/**
 * A query beside the transaction that it is made in would wait for the end of that transaction, which waits for the
 * query: for ever, and without a word. It is refused instead.
 */

const scope = new AsyncLocalStorage<{ open: boolean }>();

/** Throws within the work of a transaction; what such work merely started may ask once that transaction is over. */
export const refuseBeside = (): void => {
  if (scope.getStore()?.open !== true) return;
  throw new Error('inside a transaction only its `trx` answers: `db` would wait for its end for ever');
};

/** Runs the work of one transaction. */
export const asTransaction = <T>(work: () => Promise<T>): Promise<T> => {
  const transaction = { open: true };
  return scope.run(transaction, async () => {
    try {
      return await work();
    } finally {
      transaction.open = false;
    }
  });
};

/** For the database that everybody has; not for the one whose transactions are the way in. */
export const refusesBeside: KyselyPlugin = {
  transformQuery({ node }) {
    refuseBeside();
    return node;
  },
  async transformResult({ result }) {
    return result;
  },
};
