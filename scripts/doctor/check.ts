/** One thing that Berth needs or makes use of: how it is here, and what to do where it is not as it should be. */
export type Finding = {
  name: string;
  status: 'ok' | 'warning' | 'failure';
  found: string;
  advice?: string;
};

export type Check = () => Promise<Finding | Finding[]>;

export const ok = (name: string, found: string): Finding => ({ name, status: 'ok', found });
export const warning = (name: string, found: string, advice: string): Finding => ({
  name,
  status: 'warning',
  found,
  advice,
});
export const failure = (name: string, found: string, advice: string): Finding => ({
  name,
  status: 'failure',
  found,
  advice,
});

/** A check that breaks is a finding as well. */
export const runCheck = async (name: string, check: Check): Promise<Finding[]> => {
  try {
    return [await check()].flat();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [failure(name, `could not be looked at: ${reason}`, 'See what the message says.')];
  }
};
