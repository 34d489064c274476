import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Log } from '../../../shared/log.ts';
import type { OpenQueue, QueueSet } from '../queue-set.ts';
import { redact } from './redaction.ts';

/** Bull Board over the queues of all hosts, kept from showing or changing what it should not. */

/**
 * What it may change where changes are allowed. Not the data of a job: what the board shows of it is not all of it, and
 * would be written back without the rest.
 */
const writableRoutes: ReadonlySet<string> = new Set([
  '/api/queues/:queueName/retry/:queueStatus',
  '/api/queues/:queueName/promote',
  '/api/queues/:queueName/clean/:queueStatus',
  '/api/queues/:queueName/pause',
  '/api/queues/:queueName/resume',
  '/api/queues/:queueName/:jobId/retry',
  '/api/queues/:queueName/:jobId/clean',
  '/api/queues/:queueName/:jobId/promote',
]);

type Options = { queues: QueueSet; write: boolean; basePath: string; log: Log };

export const createBoard = ({ queues, write, basePath, log }: Options) => {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(basePath);
  const board = createBullBoard({
    queues: [],
    serverAdapter,
    options: {
      uiConfig: { boardTitle: 'Berth · Queues', hideDocsLink: true },
      handlerHooks: {
        before: ({ method, route }) => ({
          allow: method === 'get' || (write && writableRoutes.has(route)),
          status: 405,
        }),
        after: (_context, result) => ({ ...result, body: redact(result.body) as typeof result.body }),
      },
    },
  });
  // Bull Board's own answer repeats the error's words, whoever wrote them.
  serverAdapter.setErrorHandler((err) => {
    queues.forget();
    log.warn({ err }, 'the dashboard could not answer');
    return { status: 500, body: { error: 'The queues cannot be reached just now.' } };
  });

  const adapters = new WeakMap<OpenQueue, BullMQAdapter>();
  const adapt = (open: OpenQueue): BullMQAdapter => {
    const adapter =
      adapters.get(open) ?? new BullMQAdapter(open.queue, { readOnlyMode: !write, delimiter: '.' });
    adapters.set(open, adapter);
    return adapter;
  };
  return {
    plugin: serverAdapter.registerPlugin(),
    /** Takes up the queues of hosts that came, and lets go those of hosts that are forgotten. */
    async refresh(): Promise<void> {
      board.replaceQueues((await queues.current()).map(adapt));
    },
  };
};
