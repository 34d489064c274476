import { fmt } from '../../format/rich-text.ts';
import * as buttons from '../buttons.ts';
import * as strays from '../strays.ts';
import { detail, host, id, longName, message, person } from './longest.ts';
import type { Samples } from './samples-of-people.ts';

/** What administrators read of things that no VM accounts for. */

const things = [
  { kind: 'container', name: longName, running: true },
  { kind: 'volume', name: longName, running: false },
];
export const stray: strays.StrayInWords = {
  host,
  reason: 'unknown-vm',
  vmId: id,
  owner: person,
  things,
  age: 98_765_432_100,
  going: false,
};
const strange: strays.StrayInWords = {
  ...stray,
  reason: 'misnamed',
  vmId: null,
  owner: null,
  things: things.slice(1),
  age: null,
};
export const many = (count: number): strays.StrayInWords[] =>
  Array.from({ length: count }, (_, index) => (index % 2 === 0 ? stray : strange));

const removal = {
  host,
  things,
  elapsedMs: 3_725_000,
  reasonCode: 'docker-refused',
  reasonDetail: detail,
  reference: fmt`\nid ${id}`,
};
const mark = 'm'.repeat(20);
const eachButton = [
  ...Array(5).fill([buttons.removeStrayButton(mark, longName)]),
  [buttons.removeAllStraysButton(9_999)],
];

export const ofStrays: Samples<typeof strays> = {
  straysInShort: [message(strays.straysInShort(things)), message(strays.straysInShort(things.slice(1)))],
  strayInWords: [
    ...['unknown-vm', 'misnamed', 'other-host', 'lost-vm'].map((reason) =>
      message(strays.strayInWords({ ...stray, reason })),
    ),
    message(strays.strayInWords({ ...stray, going: true })),
    message(strays.strayInWords(strange)),
  ],
  straysTold: [
    message(strays.straysTold(host, [], 1)),
    message(strays.straysTold(host, many(1), 0), eachButton),
    message(strays.straysTold(host, many(50), 1), eachButton),
    message(strays.straysTold(host, many(8), 12), eachButton),
  ],
  allStrays: [
    message(strays.allStrays([])),
    message(strays.allStrays(many(1)), eachButton),
    message(strays.allStrays(many(50)), eachButton),
  ],
  confirmStrayRemoval: [
    message(strays.confirmStrayRemoval(many(50)), [
      [buttons.confirmStraysButton(Number.MAX_SAFE_INTEGER)],
      [buttons.keepStraysButton],
    ]),
  ],
  strayRemovalConfirmed: [message(strays.strayRemovalConfirmed)],
  straysKept: [message(strays.straysKept)],
  straysGoneAlready: [message(strays.straysGoneAlready)],
  strayRemovalOpen: [
    message(strays.strayRemovalOpen(removal)),
    message(strays.strayRemovalOpen({ ...removal, things: things.slice(1) })),
  ],
  strayRemovalDone: [message(strays.strayRemovalDone(removal))],
  strayRemovalFailed: [message(strays.strayRemovalFailed(removal), [[buttons.showStraysButton]])],
  strayRemovalTimedOut: [message(strays.strayRemovalTimedOut(removal), [[buttons.showStraysButton]])],
};
