import { describe, expect, it } from 'vitest';
import { createLog, redactText } from './log.ts';

const token = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1';

/** Everything that was logged, as it was written. */
const capture = (level = 'trace') => {
  const lines: string[] = [];
  const log = createLog('test', level, { write: (line) => void lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown> };
};

describe('a log line', () => {
  it('is JSON with the service, the process, the level in words and the time', () => {
    const { log, last } = capture();
    log.info({ vmId: 'k3j9x2a1' }, 'VM created');
    expect(last()).toMatchObject({
      level: 'info',
      service: 'test',
      pid: process.pid,
      vmId: 'k3j9x2a1',
      msg: 'VM created',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
  });

  it('is left out below the level', () => {
    const { log, lines } = capture('warn');
    log.info('no');
    log.warn('yes');
    expect(lines).toHaveLength(1);
  });
});

describe('secrets', () => {
  it.each(['password', 'token', 'secret', 'passwordHash', 'command', 'output', 'text', 'payload'])(
    'a field called %s is censored, as far as two levels down',
    (name) => {
      const { log, lines } = capture();
      log.info({ [name]: 'hush', a: { [name]: 'hush', b: { [name]: 'hush' } } }, 'logged');
      expect(lines[0]).not.toContain('hush');
      expect(lines[0]!.match(/<redacted>/g)).toHaveLength(3);
    },
  );

  it('of an error only name, message, stack, code and cause get out, without tokens', () => {
    const { log, lines, last } = capture();
    const err = Object.assign(
      new TypeError(`request to https://api.telegram.org/bot${token}/sendMessage failed`, {
        cause: new Error(`connect redis://:p4ssw0rd@cache:6379 as ${token}`),
      }),
      { code: 'ETIMEDOUT', on: { payload: { text: 'hush' } }, response: { description: 'hush' } },
    );
    log.error({ err }, 'failed');
    expect(lines[0]).not.toContain(token.slice(12));
    expect(lines[0]).not.toContain('hush');
    expect(lines[0]).not.toContain('p4ssw0rd');
    expect(last().err).toMatchObject({
      type: 'TypeError',
      code: 'ETIMEDOUT',
      message: 'request to https://api.telegram.org/bot<token>/sendMessage failed',
    });
  });

  it('a child log keeps them out as well', () => {
    const { log, lines } = capture();
    log.child({ token: 'hush' }).warn({ error: new Error(`bot${token}`) }, 'failed');
    expect(lines[0]).not.toContain('hush');
    expect(lines[0]).not.toContain(token);
  });

  it('what was thrown may be anything', () => {
    const { log, last } = capture();
    for (const err of ['a text', null, 5, { code: 5 }]) log.error({ err }, 'failed');
    expect(last().msg).toBe('failed');
  });

  it('redactText leaves ordinary text as it is', () => {
    const text = 'ssh -p 22000 dev@127.0.0.1 at 10:20:30, redis://127.0.0.1:6379, SHA256:abc';
    expect(redactText(text)).toBe(text);
    expect(redactText(`${token} rediss://user:pw@host/0`)).toBe('<token> rediss://user:<password>@host/0');
  });
});
