/**
 * What becomes of a VM that fills its disk. Few storage drivers can hold a container to a size, and none its home; so the
 * use is watched: the owner is warned in time, and a VM far above its limit is stopped, before the host is full.
 */

/** Shares of the limit. Who was warned is warned again only after it was `eased`. */
export const diskShares = { warned: 0.9, eased: 0.85, stopped: 1.1 } as const;

/** Milliseconds after its start in which a VM is not stopped for it: only in a VM that runs can people delete anything. */
export const cleanUpTime = 10 * 60_000;

/** Whether anything follows from this use. `low`: its owner was warned. */
export const isDiskNews = (usedBytes: number, limitBytes: number, low: boolean): boolean => {
  const share = usedBytes / limitBytes;
  return low ? share >= diskShares.stopped || share < diskShares.eased : share >= diskShares.warned;
};
