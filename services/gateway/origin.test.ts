import { describe, expect, it } from 'vitest';
import { isOwnOrigin, isSecure } from './origin.ts';

const known = 'https://vms.example.org';
const from = (host: string, origin?: string) => ({ headers: { host, ...(origin && { origin }) } });
const over = (protocol: 'http' | 'https', host: string) => ({ protocol, headers: { host } });

describe('a cookie is for https only', () => {
  it.each([
    ['https', '127.0.0.1:8080'],
    ['http', 'vms.example.org'],
    ['http', 'VMS.example.org:443'],
  ] as const)('where a browser speaks it: %s, %s', (protocol, host) => {
    expect(isSecure(over(protocol, host), known)).toBe(true);
  });

  it('and otherwise where it does not', () => {
    expect(isSecure(over('http', '127.0.0.1:8080'), known)).toBe(false);
    expect(isSecure(over('http', 'vms.example.org.evil.example'), known)).toBe(false);
    expect(isSecure(over('http', 'vms.example.org'), 'http://vms.example.org')).toBe(false);
    expect(isSecure({ protocol: 'http', headers: {} }, known)).toBe(false);
  });
});

describe('a page is ours', () => {
  it.each([
    ['vms.example.org', known],
    ['vms.example.org:443', known],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ])('that has our host, and https where people know us by that: %s, %s', (host, origin) => {
    expect(isOwnOrigin(from(host, origin), known)).toBe(true);
  });

  it.each([
    ['vms.example.org', 'http://vms.example.org'],
    ['vms.example.org', 'https://vms.example.org:8443'],
    ['vms.example.org', 'https://evil.example'],
    ['127.0.0.1:8080', known],
    ['127.0.0.1:8080', 'null'],
    ['127.0.0.1:8080', undefined],
  ])('and no other: %s, %s', (host, origin) => {
    expect(isOwnOrigin(from(host, origin), known)).toBe(false);
  });
});
