import type { Invariant } from './invariant.ts';

/** Before it is ready, an error at the store or at Telegram may end a process: its supervisor starts it again. */
export const nobodyFalls: Invariant = {
  name: 'no process ends by itself',
  check({ slots }) {
    return slots
      .flatMap((slot) => slot.lives())
      .filter(({ end }) => end !== undefined && end !== 'SIGKILL' && end !== 0)
      .filter(({ process, records, end }) => {
        const wasReady = process.lines().some(({ msg }) => msg === 'ready');
        const wasStruck = records().some((line) => 'struck' in line && line.struck.act === 'error');
        // Ended in order before it could say so is no fall.
        return wasReady || !(wasStruck || end === 'SIGTERM');
      })
      .map(({ name, end, process }) => ({
        what: `${name} ended with ${end}:\n${process.output().split('\n').slice(-8).join('\n')}`,
      }));
  },
};
