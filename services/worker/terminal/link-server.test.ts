import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { nameToPublish } from './link-server.ts';

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['192.0.2.7', '192.0.2.7'],
  ['::1', '::1'],
  ['0.0.0.0', hostname()],
  ['::', hostname()],
])('a worker whose link listens on %s is known to gateways as %s', (bind, name) => {
  expect(nameToPublish(bind)).toBe(name);
});
