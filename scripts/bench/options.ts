import { parseArgs } from 'node:util';

/** How the bench was called. It ends here when that makes no sense, before anything is loaded that opens files. */

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '10' },
    only: { type: 'string' },
  },
});
export const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
  process.stderr.write('--rounds must be a whole number from 1 to 100\n');
  process.exit(2);
}
if (options.only !== undefined && options.only !== 'terminals') {
  process.stderr.write('--only knows terminals\n');
  process.exit(2);
}
export const { json: asJson, only } = options;
