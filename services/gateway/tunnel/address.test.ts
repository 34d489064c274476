import { expect, it } from 'vitest';
import { addressOf } from './address.ts';

it.each([
  ['127.0.0.1', 8080, 'http://127.0.0.1:8080'],
  ['192.0.2.7', 8080, 'http://192.0.2.7:8080'],
  ['::1', 8080, 'http://[::1]:8080'],
  ['2001:DB8::7', 80, 'http://[2001:db8::7]'],
  ['0.0.0.0', 8080, 'http://127.0.0.1:8080'],
  ['::', 8080, 'http://[::1]:8080'],
])('a gateway that listens on %s, port %i, is reached at %s', (bind, port, address) => {
  expect(addressOf(bind, port)).toBe(address);
});
