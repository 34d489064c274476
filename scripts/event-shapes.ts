import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { upcasters } from '../services/bot/store/upcasters.ts';
import { judge } from './event-shapes/judge.ts';
import { readShapes, type Shapes } from './event-shapes/read.ts';

/**
 * Writes down the shapes of all events: `npm run event-shapes`, for developers, after a new event or a change of one.
 * Refuses, with status 1 and what to do, a change that leaves written events unreadable.
 */

const root = join(import.meta.dirname, '..');
const file = join(root, 'tests/fixtures/event-shapes.json');

const recorded = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Shapes) : {};
const { unrecorded, faults, next } = readShapes(root, recorded, (shapes) =>
  judge(recorded, shapes, upcasters),
);
if (faults.length > 0) {
  process.stderr.write(`${faults.join('\n')}\n`);
  process.exit(1);
}
const sorted = Object.fromEntries(Object.entries(next).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
process.stdout.write(unrecorded.length === 0 ? 'Nothing new.\n' : `Written down: ${unrecorded.join(', ')}\n`);
