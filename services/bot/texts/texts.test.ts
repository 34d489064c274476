import { describe, expect, it } from 'vitest';
import { IllegalStateError } from '../../../shared/decider.ts';
import { vm } from '../../../shared/vm/decider.ts';
import { failureCode } from '../../../shared/vm/failure.ts';
import { GIB } from '../../../shared/vm/limits.ts';
import { command } from '../../../shared/vm/testing/history.ts';
import { initialState, type VmStatus } from '../../../shared/vm/vm.ts';
import { decodeCallback } from '../callback-data.ts';
import { commands } from '../commands/index.ts';
import { type FmtString, fmt, longestText, plain } from '../format/rich-text.ts';
import * as buttons from './buttons.ts';
import { failureInWords } from './failures.ts';
import * as general from './general.ts';
import * as operations from './operations.ts';
import { overviewInWords } from './overview.ts';
import * as refusals from './refusals.ts';
import { accessInWords, statusInWords, vmCard } from './vms.ts';

/** Every sentence, at its longest: it fits into a message, no value is missing, and nothing is cut. */

const longestName = 'a'.repeat(32);
const id = 'k3j9x2a1m5n7';
const detail = 'd'.repeat(500);

const expectWhole = (
  { text, entities = [] }: Pick<FmtString, 'text' | 'entities'>,
  limit = longestText,
): void => {
  expect(text.length).toBeLessThanOrEqual(limit);
  expect(text).not.toMatch(/undefined|null|NaN|\[object/);
  for (const { offset, length } of entities) expect(offset + length).toBeLessThanOrEqual(text.length);
};

const statuses: VmStatus[] = [
  'creating',
  'starting',
  'running',
  'stopping',
  'stopped',
  'destroying',
  'destroyed',
  'failed',
  'lost',
];

const vmRow = (status: string) => ({
  vm_id: 'k3j9x2a1',
  name: longestName,
  status,
  plan: 'Enterprise',
  epoch: 99_999,
  memory_bytes: 16 * GIB,
  cpus: 0.5,
  disk_bytes: 500 * GIB,
  gpu: 1,
  sudo: 1,
  ssh_port: 22_999,
  host_key_fingerprint: `SHA256:${'x'.repeat(43)}`,
  running_since: '2026-01-01T00:00:00.000Z',
});

const operation: operations.OperationInWords = {
  kind: 'create',
  status: 'open',
  name: longestName,
  operationId: id,
  elapsedMs: 3_725_000,
  reasonCode: 'image-build-failed',
  reasonDetail: detail,
  cancelling: false,
  ahead: 3,
  step: null,
  stepDetail: null,
  trouble: null,
  order: null,
};
const exec: operations.ExecInWords = {
  ...operation,
  kind: 'exec',
  command: `${'c'.repeat(3_000)}\nmore`,
  output: 'o'.repeat(operations.shownOutput),
  exitCode: 127,
  durationMs: 59_999,
  timeoutSeconds: 86_400,
  asFile: false,
  truncated: false,
};

describe('an operation', () => {
  const kinds = ['create', 'start', 'restart', 'stop', 'destroy'];

  it.each(kinds)('%s is told at every moment', (kind) => {
    for (const step of [null, 'image', 'container', 'ssh', 'removing', 'something new']) {
      for (const ahead of [null, 0, 1, 5]) {
        expectWhole(operations.operationOpen({ ...operation, kind, step, ahead, stepDetail: 'Step 3/9' }));
      }
    }
    expectWhole(operations.operationFailed({ ...operation, kind }));
    expectWhole(operations.operationTimedOut({ ...operation, kind }));
    for (const byDestroy of [true, false]) {
      expectWhole(operations.operationCancelled({ ...operation, kind }, byDestroy));
    }
  });

  it('that failed shows its id, by which the logs are searched', () => {
    expect(operations.operationFailed(operation).text).toContain(id);
    expect(operations.operationTimedOut(operation).text).toContain(id);
  });

  it('says how many jobs wait before it', () => {
    expect(operations.operationOpen({ ...operation, ahead: 1 }).text).toContain('1 job is ahead');
    expect(operations.operationOpen({ ...operation, ahead: 2 }).text).toContain('2 jobs are ahead');
  });
});

describe('a command of /exec', () => {
  it.each([
    ['runs', operations.execOpen],
    ['has ended', operations.execEnded],
    ['took too long', operations.execTimedOut],
    ['was cancelled', operations.execCancelled],
  ] as const)('that %s fits, with the longest command and output', (_what, say) => {
    expectWhole(say(exec));
    expectWhole(say({ ...exec, cancelling: true, step: 'running', command: null, output: null }));
    expectWhole(
      say({ ...exec, asFile: true, truncated: true, output: null, exitCode: null, durationMs: null }),
    );
  });

  it('that failed, and so has no output, fits with the longest reason', () => {
    expectWhole(operations.execFailed({ ...exec, output: null }));
    expectWhole(
      operations.execFailed({ ...exec, output: null, command: null, reasonCode: 'vm-not-running' }),
    );
  });

  it('that printed nothing says so; one that did does not', () => {
    expect(operations.execEnded({ ...exec, output: '' }).text).toContain('It printed nothing.');
    expect(operations.execEnded(exec).text).not.toContain('printed nothing');
    expect(operations.execEnded({ ...exec, output: null, asFile: true }).text).not.toContain(
      'printed nothing',
    );
  });

  it('shows exit codes apart: 0 is success, anything else a warning', () => {
    expect(operations.execEnded({ ...exec, exitCode: 0 }).text).toContain('✅ Done');
    expect(operations.execEnded({ ...exec, exitCode: 1 }).text).toContain('⚠️ Exit code 1');
  });

  it('shows command and output as they are, in code entities', () => {
    const shown = operations.execEnded({ ...exec, command: 'echo "<b>" `x`', output: '*bold* _it_ <b>' });
    const inCode = (shown.entities ?? [])
      .filter(({ type }) => type === 'code' || type === 'pre')
      .map(({ offset, length }) => shown.text.slice(offset, offset + length));
    expect(inCode).toEqual(['$ echo "<b>" `x`', '*bold* _it_ <b>']);
  });

  it('has a caption that Telegram takes under a file', () => {
    expectWhole(operations.outputCaption({ ...exec, truncated: true }, 'l'.repeat(700)), 1_024);
    expectWhole(operations.outputCaption(exec, ''), 1_024);
  });
});

describe('a failure', () => {
  it.each(failureCode.options)('%s says what is so and what helps', (code) => {
    for (const reason of [null, '', detail]) {
      const { what, next } = failureInWords(code, reason);
      expect(what).toMatch(/^[A-Z].*\.$/s);
      expect(next).toMatch(/^[A-Z/].*\.$/s);
      expectWhole(fmt`${what} ${next}`);
    }
  });

  it('ends with one full stop, whether its detail brings one or not', () => {
    for (const given of ['It is so', 'It is so.']) {
      expect(failureInWords('tunnel-unavailable', given).what).toMatch(/: It is so\.$/);
    }
  });

  it('of a code that nobody knows is still told', () => {
    expect(failureInWords('from-a-newer-worker', null).what).toContain('gave up');
    expect(failureInWords(null, null).what).toContain('gave up');
  });
});

describe('the overview', () => {
  const at = '2026-11-24T12:00:00.000Z';
  const withRestarts = (restarts: number): string =>
    overviewInWords({
      instance: 'berth',
      defaults: { memoryBytes: GIB, cpus: 1, diskBytes: GIB, maxVms: 1, gpu: false },
      maintenanceSince: null,
      people: { administrators: 1, allowed: 0, asking: 0 },
      vms: {},
      strays: [],
      redis: 'answers' as const,
      hosts: [],
      gateways: [
        {
          gatewayId: 'g',
          pid: 1,
          startedAt: at,
          at,
          tunnel: {
            way: 'quick',
            origin: 'https://a.trycloudflare.com',
            program: { version: '2025.8.1' },
            wanted: true,
            connected: true,
            since: at,
            lastProblem: null,
            restarts,
          },
        },
      ],
    }).text;

  it('counts how often a tunnel was opened anew as people do', () => {
    expect(withRestarts(0)).not.toContain('anew');
    expect(withRestarts(1)).toMatch(/, opened anew once$/m);
    expect(withRestarts(2)).toMatch(/, opened anew 2 times$/m);
  });
});

describe('a refusal', () => {
  const verbs = ['start', 'stop', 'restart', 'destroy', 'exec'] as const;

  it.each(statuses)('while a VM is %s says so, and what to do where something can be done', (status) => {
    for (const verb of verbs) {
      const { text } = refusals.vmRefusal(verb, { name: 'box', status });
      expectWhole(fmt`${text}`);
      expect(text).toContain('box');
      if (status !== 'destroying') expect(text).toMatch(/\/[a-z_]+/);
    }
  });

  it('does not repeat a word of any length', () => {
    expect(refusals.planUnknown('x'.repeat(4_000), ['Basic']).length).toBeLessThan(200);
    expect(refusals.badUsername('x'.repeat(4_000), ['Basic']).length).toBeLessThan(200);
  });
});

describe('the buttons under a VM', () => {
  const requests = {
    start: command.StartVm('new'),
    stop: command.StopVm('new'),
    restart: command.RestartVm('new'),
    destroy: command.DestroyVm('new'),
    create: command.RequestVm('new'),
  };

  it.each(statuses)('that is %s offer only what would be accepted', (status) => {
    const state = { ...initialState, status, epoch: 3 };
    const actions = buttons
      .vmButtons(vmRow(status))
      .flat()
      .map((button) => decodeCallback('data' in button ? button.data : '').action);
    for (const action of actions) {
      if (action === 'status') continue;
      const of = action === 'create' ? initialState : state;
      expect(() => vm.decide(requests[action as keyof typeof requests], of), action).not.toThrow(
        IllegalStateError,
      );
    }
    expect(new Set(actions).size).toBe(actions.length);
  });

  it('carry at most 64 bytes, at the longest', () => {
    const row = vmRow('running');
    const userId = Number.MAX_SAFE_INTEGER;
    const all = [
      buttons.confirmDestroyButton(row, new Date('9999-01-01')),
      buttons.keepButton(row),
      buttons.cancelButton(id),
      buttons.execOnButton(row, id),
      buttons.refuseButton(userId),
      buttons.grantButton(userId, { plan_id: '1'.repeat(20), name: 'Enterprise' }),
      ...buttons.vmButtons(row).flat(),
    ];
    for (const button of all) {
      expect(Buffer.byteLength('data' in button ? button.data : '')).toBeLessThanOrEqual(64);
      expect(button.text.length).toBeLessThanOrEqual(64);
    }
  });
});

describe('what people read about themselves', () => {
  const limits = { memoryBytes: 16 * GIB, cpus: 4, diskBytes: 500 * GIB, gpu: true, sudo: true };

  it('greets with everything there is, whole', () => {
    const person = {
      firstName: 'F'.repeat(64),
      isAdministrator: true,
      plan: 'Enterprise',
      limits,
      maxVms: 10,
      vms: statuses.map((status) => ({ name: longestName, status })),
      commands,
    };
    expectWhole(general.welcome(person));
    expectWhole(general.welcome({ ...person, firstName: '', plan: null, maxVms: 1, vms: [] }));
  });

  it.each(statuses)('shows the card of a VM that is %s', (status) => {
    const figures = { cpus: 0.123, memoryBytes: 3 * GIB, diskBytes: null };
    const shown = {
      host: 'h'.repeat(253),
      password: 'p'.repeat(24),
      figures,
      diskBytes: GIB,
      terminals: 2,
      now: new Date(),
    };
    expectWhole(vmCard(vmRow(status), shown));
    expectWhole(
      vmCard(
        { ...vmRow(status), plan: null, running_since: null, host_key_fingerprint: null },
        { ...shown, figures: null, password: null },
      ),
    );
    expect(statusInWords(status)).not.toBe(status);
  });

  it('gives the SSH command and the password as code entities of their own, nothing else beside them', () => {
    const access = accessInWords(vmRow('running'), 'vm.example.org', 'hush-hush');
    const inCode = (access.entities ?? [])
      .filter(({ type }) => type === 'code')
      .map(({ offset, length }) => access.text.slice(offset, offset + length));
    expect(inCode).toEqual(['ssh -p 22999 dev@vm.example.org', 'hush-hush']);
  });

  it('explains every command, with an example that names it', () => {
    for (const each of commands) {
      expectWhole(general.usage(each, 'something is missing'));
      expect(each.example).toMatch(new RegExp(`^/${each.name}\\b`));
    }
  });

  it('cuts a list that is longer than a message, and sends it', () => {
    const user = { user_id: 123_456_789, username: 'ada', name: 'Ada', plan: 'Basic', vms: 1 };
    const list = general.allowedList(Array(500).fill(user), [1, 2], { page: 0, pages: 1, all: 500 });
    expect(list.text.length).toBeGreaterThan(longestText);
    expectWhole(plain(list));
  });

  it('says why a VM ended by itself', () => {
    expect(general.vmExited('box', 'out-of-memory', 137, 2 * GIB).text).toContain(
      'out of memory (its limit is 2 GB)',
    );
    for (const cause of ['killed', 'exited', 'else']) expectWhole(general.vmExited('box', cause, 1, GIB));
  });
});
