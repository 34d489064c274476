/** How fast a page may send: whoever is faster is read from more slowly, so that a large paste arrives whole. */

/** Bytes a second, and at once. */
const perSecond = 2 * 1024 * 1024;
const burst = 2 * 1024 * 1024;
/** What a frame costs however short it is: each one is work. */
const frameCost = 512;

type Source = { pause(): void; resume(): void };

export const createInputRate = (source: Source, now = () => performance.now()) => {
  let left = burst;
  let at = now();
  let waiting = false;
  return {
    take(bytes: number): void {
      const time = now();
      left = Math.min(burst, left + ((time - at) / 1_000) * perSecond) - Math.max(bytes, frameCost);
      at = time;
      if (left >= 0 || waiting) return;
      waiting = true;
      source.pause();
      setTimeout(
        () => {
          waiting = false;
          source.resume();
        },
        (-left / perSecond) * 1_000,
      );
    },
  };
};
