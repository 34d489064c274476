import { EnvError } from '../../shared/env.ts';
import { readSettings, type Settings, type Source } from '../supervise/settings.ts';
import { type Finding, failure, ok } from './check.ts';

/** What `.env` and the environment say. Where that is wrong, everything else is looked at with the defaults. */
export const checkSettings = (source: Source): { settings: Settings; findings: Finding[] } => {
  try {
    return { settings: readSettings(source), findings: [ok('settings', 'all processes can read theirs')] };
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    const faults = error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
    const usable = { ...source };
    for (const fault of faults) {
      const name = fault.split(':')[0]!.replace(/_FILE$/, '');
      // A default is missing for the administrator alone.
      usable[name] = name === 'ADMIN_USER_ID' ? '1' : '';
      usable[`${name}_FILE`] = '';
    }
    const advice = 'Correct it in .env or the environment; the rest is looked at with the default.';
    return {
      settings: readSettings(usable),
      findings: faults.map((fault) => failure('settings', fault, advice)),
    };
  }
};
