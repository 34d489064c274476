import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { TerminalGrant } from '../../../queues/tickets.ts';
import type { Log } from '../../../shared/log.ts';
import { readFrame } from '../../../shared/terminal/frames.ts';
import { keepAlive } from '../../../shared/terminal/heartbeat.ts';
import {
  type EndReason,
  type FromPage,
  fromPage,
  fromWorker,
  type ToPage,
} from '../../../shared/terminal/protocol.ts';
import { openAtSomeWorker, type WorkersDeps } from './find-worker.ts';
import { createGate } from './gate.ts';
import { createInputRate } from './input-rate.ts';

/**
 * One page's socket and, behind it, links to one worker after another: the page stays connected while a worker is
 * replaced. Nothing is kept here: whoever cannot take more makes the other one stop sending.
 */

export type Relay = {
  /** Ends it for good, with the reason. */
  end(reason: EndReason): void;
  /** Closes the socket without a word of an end: the page may come back. */
  drop(code: number): void;
};

type RelayOptions = {
  workers: WorkersDeps;
  grant: TerminalGrant;
  session: string;
  window: string;
  log: Log;
  onClosed: () => void;
};

/** Milliseconds. */
const pageHeartbeat = 30_000;
const firstSizeWithin = 2_000;
const firstDelay = 100;
const longestDelay = 5_000;
const longestSearch = 120_000;

/** Bytes waiting for one side before the other one is not read from. */
const crowded = 1024 * 1024;

/** Close codes: what ended well; a page that broke the rules; one that was replaced; try again. */
export const closing = { done: 1000, rules: 1008, replaced: 4001, later: 1013 };

export const startRelay = (page: WebSocket, options: RelayOptions): Relay => {
  const { workers, grant, session, window, log, onClosed } = options;
  const leaving = new AbortController();
  const { signal } = leaving;
  let link: WebSocket | null = null;
  let size = { columns: 80, rows: 24 };
  let endWished = false;
  const sized = Promise.withResolvers<void>();
  const pageGate = createGate(page);
  const rate = createInputRate({
    pause: () => pageGate.shut('rate'),
    resume: () => pageGate.open('rate'),
  });

  const say = (message: ToPage): void => {
    if (page.readyState === page.OPEN) page.send(JSON.stringify(message));
  };
  const drop = (code: number): void => {
    if (signal.aborted) return;
    leaving.abort();
    page.close(code);
    page.resume(); // one that is not read from would not hear the answer
  };
  const end = (reason: EndReason): void => {
    if (signal.aborted) return;
    say({ type: 'ended', reason });
    drop(closing.done);
  };

  const passOn = (data: Buffer | string): void => {
    const to = link;
    if (to === null || to.readyState !== to.OPEN) return; // what is typed while no worker is there is lost
    to.send(data, () => {
      if (to.bufferedAmount < crowded) pageGate.open('link');
    });
    if (to.bufferedAmount >= crowded) pageGate.shut('link');
  };
  const take = (message: FromPage): void => {
    if (message.type === 'resize') {
      size = { columns: message.columns, rows: message.rows };
      sized.resolve();
    }
    if (message.type === 'end') endWished = true;
    passOn(JSON.stringify(message));
  };
  page.on('message', (data: Buffer, isBinary) => {
    if (signal.aborted) return;
    rate.take(data.length);
    if (isBinary) return passOn(data);
    const message = readFrame(fromPage, data, isBinary);
    if (message === null) return drop(closing.rules);
    take(message);
  });
  page.on('error', (err) => log.debug({ err }, 'a page’s socket'));
  page.once('close', () => {
    leaving.abort();
    onClosed();
  });
  keepAlive(page, pageHeartbeat);

  /** Resolves when the link is lost, or all is over. */
  const carry = (opened: WebSocket): Promise<void> =>
    new Promise((resolve) => {
      link = opened;
      const linkGate = createGate(opened);
      opened.on('message', (data: Buffer, isBinary) => {
        if (signal.aborted) return;
        if (isBinary) {
          page.send(data, () => {
            if (page.bufferedAmount < crowded) linkGate.open('page');
          });
          if (page.bufferedAmount >= crowded) linkGate.shut('page');
          return;
        }
        const message = readFrame(fromWorker, data, isBinary);
        if (message?.type === 'ended') end(message.reason);
      });
      const leave = () => opened.terminate();
      signal.addEventListener('abort', leave);
      opened.once('close', () => {
        signal.removeEventListener('abort', leave);
        link = null;
        pageGate.open('link');
        resolve();
      });
      if (signal.aborted) return leave();
      say({ type: 'attached', vm: grant.vmName });
      opened.resume();
      passOn(JSON.stringify({ type: 'resize', ...size }));
      if (endWished) passOn(JSON.stringify({ type: 'end' }));
    });

  const search = async (): Promise<WebSocket | null> => {
    const begun = performance.now();
    for (let delay = firstDelay; ; delay = Math.min(delay * 2, longestDelay)) {
      const wish = { vmId: grant.vmId, owner: grant.userId, session, window, ...size };
      const found = await openAtSomeWorker(workers, grant.host, wish, signal).catch((err: unknown) => {
        log.debug({ err }, 'no worker can be looked for'); // Redis is away: the next look is soon
        return null;
      });
      if (signal.aborted) {
        if (found !== null && 'socket' in found) found.socket.terminate();
        return null;
      }
      if (found !== null && 'ended' in found) {
        end(found.ended);
        return null;
      }
      if (found !== null) return found.socket;
      if (performance.now() - begun > longestSearch) {
        drop(closing.later);
        return null;
      }
      if (delay === firstDelay) say({ type: 'lost' });
      await sleep(delay, undefined, { signal }).catch(() => undefined); // the page is gone: seen above
    }
  };

  const run = async (): Promise<void> => {
    await Promise.race([sized.promise, sleep(firstSizeWithin, undefined, { signal, ref: false })]);
    while (!signal.aborted) {
      const opened = await search();
      if (opened === null) return;
      await carry(opened);
      if (!signal.aborted) say({ type: 'lost' });
    }
  };
  run().catch((err: unknown) => {
    if (!signal.aborted) log.error({ err }, 'a terminal failed');
    drop(closing.later);
  });
  return { end, drop };
};
