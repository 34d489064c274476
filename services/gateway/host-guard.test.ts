import fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isOwnHost, registerHostGuard } from './host-guard.ts';

describe('the names that are answered', () => {
  const here = { publicOrigin: () => 'https://vms.example.org', bindAddress: '127.0.0.1' };

  it.each(['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:8080', 'vms.example.org', 'VMS.example.org'])(
    'are ours: %s',
    (host) => expect(isOwnHost(host, here)).toBe(true),
  );
  it.each([
    undefined,
    '',
    'evil.example',
    'vms.example.org.evil.example',
    'localhost.evil.example',
    '10.0.0.1:8080',
    'evil.example#vms.example.org',
    'user@localhost',
    'a b',
    '[::1',
  ])('are nobody else’s: %s', (host) => expect(isOwnHost(host, here)).toBe(false));

  it('are all bare addresses where the gateway listens on all of them', () => {
    const everywhere = { ...here, bindAddress: '0.0.0.0' };
    expect(isOwnHost('192.168.1.7:8080', everywhere)).toBe(true);
    expect(isOwnHost('[fe80::1]:8080', everywhere)).toBe(true);
    expect(isOwnHost('evil.example:8080', everywhere)).toBe(false);
    expect(isOwnHost('192.168.1.7:8080', { ...here, bindAddress: '192.168.1.7' })).toBe(true);
  });
});

describe('a name that is not ours', () => {
  const token = 'a-token-of-the-test';
  /** Status per address, asked by a foreign name. */
  const ask = async (url: string, headers: Record<string, string> = {}, metricsToken?: string) => {
    const app = fastify();
    onTestFinished(() => app.close());
    registerHostGuard(app, {
      publicOrigin: () => 'https://vms.example.org',
      bindAddress: '127.0.0.1',
      metricsToken,
    });
    for (const path of ['/healthz', '/readyz', '/metrics', '/queues', '/t/:ticket', '/terminal/:name'])
      app.get(path, async () => 'served');
    const answer = await app.inject({ url, headers: { host: 'gateway:8080', ...headers } });
    return answer.statusCode;
  };
  const bearer = { authorization: `Bearer ${token}` };

  it.each(['/healthz', '/readyz', '/healthz?verbose=1'])('is answered how we are: %s', async (url) => {
    expect(await ask(url)).toBe(200);
  });

  it('is given the figures with the token, and only with it', async () => {
    expect(await ask('/metrics', bearer, token)).toBe(200);
    expect(await ask('/metrics', {}, token)).toBe(421);
    expect(await ask('/metrics', { authorization: `Bearer ${token}x` }, token)).toBe(421);
    expect(await ask('/metrics', { authorization: 'Bearer undefined' })).toBe(421);
  });

  it.each([
    '/',
    '/queues',
    '/t/ticket',
    '/terminal/name',
    '/healthz/../queues',
    '/readyz/',
    '/t/healthz',
    '/queues?/healthz',
    '/metrics/x',
    '//healthz',
  ])('is given nothing else, token or not: %s', async (url) => {
    expect(await ask(url, bearer, token)).toBe(421);
  });
});
