import { describe, it } from 'vitest';
import { specificationFor } from '../specification.ts';
import { mostSshKeys, type SshKey, type UserEvent, user } from './user.ts';

const given = specificationFor(user);
const at = '2026-01-01T00:00:00.000Z';
const userId = 42;
const by = 1;

const grant = { userId, planId: '1', username: 'ada', by, at };
const request = { userId, name: 'Ada', username: 'ada', at };
const allowed: UserEvent = { type: 'UserAllowed', data: grant };
const removed: UserEvent = { type: 'UserRemoved', data: { userId, by, at } };
const requested: UserEvent = { type: 'AccessRequested', data: request };
const refused: UserEvent = { type: 'AccessRefused', data: { userId, by, at } };

const histories: Record<string, UserEvent[]> = {
  unknown: [],
  asking: [requested],
  allowed: [allowed],
  refused: [requested, refused],
  removed: [allowed, removed],
};

describe('somebody is allowed', () => {
  it.each(['unknown', 'asking', 'refused', 'removed'])('from %s', (status) => {
    given(histories[status]!).when({ type: 'AllowUser', data: grant }).then([allowed]);
  });

  it('once: the same again leaves no event', () => {
    given([allowed]).when({ type: 'AllowUser', data: grant }).then([]);
  });

  it('with another plan, or with none, which changes the plan', () => {
    for (const planId of ['2', null]) {
      const data = { ...grant, planId };
      given([allowed])
        .when({ type: 'AllowUser', data })
        .then([{ type: 'UserAllowed', data }]);
    }
  });

  it('under a new user name', () => {
    const data = { ...grant, username: 'lovelace' };
    given([allowed])
      .when({ type: 'AllowUser', data })
      .then([{ type: 'UserAllowed', data }]);
  });

  it('without a user name, and keeps the known one', () => {
    const data = { ...grant, username: null };
    given([allowed]).when({ type: 'AllowUser', data }).then([]);
    given([requested])
      .when({ type: 'AllowUser', data })
      .then([{ type: 'UserAllowed', data }]);
    given([requested, { type: 'UserAllowed', data }])
      .when({ type: 'AllowUser', data: grant })
      .then([]);
  });

  it('again after a removal, though the plan is the one of before', () => {
    given([allowed, removed]).when({ type: 'AllowUser', data: grant }).then([allowed]);
  });
});

describe('somebody is removed', () => {
  const command = { type: 'RemoveUser', data: { userId, by, at } } as const;

  it('who is on the list', () => given([allowed]).when(command).then([removed]));

  it.each(['unknown', 'asking', 'refused', 'removed'])('but not from %s', (status) => {
    given(histories[status]!).when(command).thenThrows('user-not-allowed');
  });
});

describe('somebody asks for access', () => {
  const command = { type: 'RequestAccess', data: request } as const;

  it.each(['unknown', 'refused', 'removed'])('from %s', (status) => {
    given(histories[status]!).when(command).then([requested]);
  });

  it('twice, which asks once', () => given([requested]).when(command).then([]));

  it('though they are on the list', () => given([allowed]).when(command).thenThrows('user-allowed'));
});

describe('a request is refused', () => {
  const command = { type: 'RefuseAccess', data: { userId, by, at } } as const;

  it('while it is open', () => given([requested]).when(command).then([refused]));

  it.each(['unknown', 'allowed', 'refused', 'removed'])('but not from %s', (status) => {
    given(histories[status]!).when(command).thenThrows('user-not-asking');
  });
});

describe('SSH keys', () => {
  const keyOf = (name: string): SshKey => ({
    fingerprint: `SHA256:${name}`,
    type: 'ssh-ed25519',
    bits: 256,
    comment: name,
    line: `ssh-ed25519 AAAA ${name}`,
  });
  const added = (name: string): UserEvent => ({
    type: 'SshKeyAdded',
    data: { userId, key: keyOf(name), at },
  });
  const add = (name: string) => ({ type: 'AddSshKey', data: { userId, key: keyOf(name), at } }) as const;

  it('are added once each', () => {
    given([allowed])
      .when(add('laptop'))
      .then([added('laptop')]);
    given([added('laptop')])
      .when(add('laptop'))
      .thenThrows('ssh-key-known');
  });

  it('are not endless', () => {
    const many = Array.from({ length: mostSshKeys }, (_, index) => added(`key-${index}`));
    given(many).when(add('one more')).thenThrows('too-many-ssh-keys');
  });

  it('are removed, twice as well as once, and may come back', () => {
    const data = { userId, fingerprint: 'SHA256:laptop', at };
    const gone: UserEvent = { type: 'SshKeyRemoved', data };
    given([added('laptop')])
      .when({ type: 'RemoveSshKey', data })
      .then([gone]);
    given([added('laptop'), gone])
      .when({ type: 'RemoveSshKey', data })
      .then([]);
    given([added('laptop'), gone])
      .when(add('laptop'))
      .then([added('laptop')]);
  });

  it('stay while somebody is off the list', () =>
    given([allowed, added('laptop'), removed, allowed])
      .when(add('laptop'))
      .thenThrows('ssh-key-known'));
});
