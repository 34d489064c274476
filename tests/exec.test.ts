import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import type { ChatMessage } from './support/practice-client.ts';
import { readAccess, ssh } from './support/ssh.ts';

let berth: Berth;
let access: ReturnType<typeof readAccess>;

beforeAll(async () => {
  berth = await startBerth({ env: { EXEC_TIMEOUT: '4' } });
  const created = await berth.admin.ask('/create box', ({ text }) => text.includes('is running'), {
    timeoutMs: 60_000,
  });
  access = readAccess(created);
});
afterAll(() => berth?.stop());

const ended = ({ text }: ChatMessage) => /Done|Exit code|Cancelled|time limit|❌/.test(text);
const run = (command: string) => berth.admin.ask(`/exec ${command}`, ended, { timeoutMs: 20_000 });

describe('/exec', () => {
  it('shows output and exit code', async () => {
    expect((await run('echo hello')).text).toMatch(/hello[\s\S]*Done in .*exit code 0/);
  });

  it.each([
    [`printf '%s' "it's"`, "it's"],
    [`echo "a   b" 'c"d' \`echo e\` $((1+1)) \\$HOME`, 'a   b c"d e 2 $HOME'],
    [`echo '$(reboot)'; echo "*"`, '$(reboot)\n*'],
    ['echo "ümläut 💥"', 'ümläut 💥'],
    ['cat <<X\nline one\nline two\nX', 'line one\nline two'],
    ['true && echo "; rm -rf /"', '; rm -rf /'],
  ])('hands %s to the shell as it is', async (command, printed) => {
    expect((await run(command)).text).toContain(printed);
  });

  it('tells when a command printed nothing', async () => {
    expect((await run('true')).text).toContain('printed nothing');
  });

  it('lets the output grow in the message while it runs', async () => {
    const first = await berth.admin.ask('/exec echo one; sleep 2.5; echo two', ({ text }) =>
      text.includes('Running'),
    );
    await berth.chat.waitForMessage(
      berth.admin.id,
      ({ id, text }) => id === first.id && /one[\s\S]*Running/.test(text),
    );
    const last = await berth.chat.waitForMessage(
      berth.admin.id,
      (message) => message.id === first.id && ended(message),
    );
    expect(last.text).toContain('one\ntwo');
  });

  it('sends long output as a file with the last lines as its caption', async () => {
    const answer = await run('seq 1 5000');
    expect(answer.text).toContain('as a file');
    const file = await berth.chat.waitForMessage(berth.admin.id, ({ document }) => document !== undefined);
    expect(file.text).toContain('5000');
    const bytes = Buffer.from(await berth.chat.download(file)).toString();
    expect(bytes.startsWith('1\n2\n3\n')).toBe(true);
    expect(bytes.trimEnd().endsWith('4999\n5000')).toBe(true);
  });

  it('ends at the time limit and leaves nothing running, whatever the command does', async () => {
    const answer = await run(
      `trap '' TERM INT HUP; (setsid sh -c 'trap "" TERM; while :; do sleep 0.1; done' &) ; sudo -b sleep 4242; nohup sleep 4243 & while :; do sleep 0.2; done`,
    );
    expect(answer.text).toContain('the time limit');
    expect(await ssh(access, "pgrep -fa 'sleep 424[23]|trap' | grep -v pgrep || true")).toBe('');
  });

  it('really ends a command when Cancel is pressed', async () => {
    const running = await berth.admin.ask('/exec sleep 3999', ({ text }) => text.includes('Running'));
    await berth.admin.pressAndWait(running, '✖️ Cancel');
    await berth.chat.waitForMessage(
      berth.admin.id,
      ({ id, text }) => id === running.id && text.includes('✖️ Cancelled'),
    );
    expect(await ssh(access, 'pgrep -f "[s]leep 3999" || true')).toBe('');
  });

  it('does not wait for a child that keeps the output open', async () => {
    const answer = await run('sleep 30 & echo started');
    expect(answer.text).toMatch(/started[\s\S]*Done/);
  });

  it('survives output without end', async () => {
    const answer = await run('yes');
    expect(answer.text).toContain('the time limit');
    const file = await berth.chat.waitForMessage(
      berth.admin.id,
      ({ id, document }) => document !== undefined && id > answer.id,
    );
    expect(file.document?.size).toBe(1024 * 1024);
    expect((await run('echo still there')).text).toContain('still there');
  });
});
