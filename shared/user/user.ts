import { type Decider, IllegalStateError, type Message } from '../decider.ts';

/**
 * A user is a person on the list. Administrators are named by the configuration and need not be on it.
 * `userId` is the Telegram id; `by` the administrator's.
 */

export type UserAllowed = Message<
  'UserAllowed',
  { userId: number; planId: string | null; username: string | null; by: number; at: string }
>;
export type UserRemoved = Message<'UserRemoved', { userId: number; by: number; at: string }>;
export type AccessRequested = Message<
  'AccessRequested',
  { userId: number; name: string; username: string | null; at: string }
>;
export type AccessRefused = Message<'AccessRefused', { userId: number; by: number; at: string }>;
/** A public key that opens all VMs of its owner. */
export type SshKey = Readonly<{
  /** `SHA256:…`, as ssh-keygen prints it. */
  fingerprint: string;
  /** `ssh-ed25519` and the like. */
  type: string;
  bits: number;
  comment: string;
  /** The line of an authorized_keys file. */
  line: string;
}>;
export type SshKeyAdded = Message<'SshKeyAdded', { userId: number; key: SshKey; at: string }>;
export type SshKeyRemoved = Message<'SshKeyRemoved', { userId: number; fingerprint: string; at: string }>;
export type UserEvent =
  | UserAllowed
  | UserRemoved
  | AccessRequested
  | AccessRefused
  | SshKeyAdded
  | SshKeyRemoved;

export type AllowUser = Message<'AllowUser', UserAllowed['data']>;
export type RemoveUser = Message<'RemoveUser', UserRemoved['data']>;
export type RequestAccess = Message<'RequestAccess', AccessRequested['data']>;
export type RefuseAccess = Message<'RefuseAccess', AccessRefused['data']>;
export type AddSshKey = Message<'AddSshKey', SshKeyAdded['data']>;
export type RemoveSshKey = Message<'RemoveSshKey', SshKeyRemoved['data']>;
export type UserCommand = AllowUser | RemoveUser | RequestAccess | RefuseAccess | AddSshKey | RemoveSshKey;

export type UserStatus = 'unknown' | 'asking' | 'allowed' | 'refused' | 'removed';

export type User = Readonly<{
  status: UserStatus;
  planId: string | null;
  username: string | null;
  sshKeys: readonly SshKey[];
}>;

export const initialState: User = { status: 'unknown', planId: null, username: null, sshKeys: [] };

/** More than anybody has machines; the list stays one message. */
export const mostSshKeys = 20;

export const evolve = (user: User, { type, data }: UserEvent): User => {
  switch (type) {
    case 'UserAllowed':
      return { ...user, status: 'allowed', planId: data.planId, username: data.username ?? user.username };
    case 'UserRemoved':
      return { ...user, status: 'removed' };
    case 'AccessRequested':
      return { ...user, status: 'asking', username: data.username ?? user.username };
    case 'AccessRefused':
      return { ...user, status: 'refused' };
    case 'SshKeyAdded':
      return { ...user, sshKeys: [...user.sshKeys, data.key] };
    case 'SshKeyRemoved':
      return { ...user, sshKeys: user.sshKeys.filter(({ fingerprint }) => fingerprint !== data.fingerprint) };
  }
};

const hasKey = (user: User, fingerprint: string): boolean =>
  user.sshKeys.some((key) => key.fingerprint === fingerprint);

export const decide = ({ type, data }: UserCommand, user: User): UserEvent[] => {
  switch (type) {
    case 'AllowUser': {
      const same =
        user.status === 'allowed' &&
        user.planId === data.planId &&
        (data.username === null || data.username === user.username);
      return same ? [] : [{ type: 'UserAllowed', data }];
    }
    case 'RemoveUser':
      if (user.status !== 'allowed')
        throw new IllegalStateError('user-not-allowed', 'the user is not on the list');
      return [{ type: 'UserRemoved', data }];
    case 'RequestAccess':
      if (user.status === 'allowed')
        throw new IllegalStateError('user-allowed', 'the user is on the list already');
      return user.status === 'asking' ? [] : [{ type: 'AccessRequested', data }];
    case 'RefuseAccess':
      if (user.status !== 'asking')
        throw new IllegalStateError('user-not-asking', 'there is no open request');
      return [{ type: 'AccessRefused', data }];
    case 'AddSshKey':
      if (hasKey(user, data.key.fingerprint))
        throw new IllegalStateError('ssh-key-known', 'the key is there already');
      if (user.sshKeys.length >= mostSshKeys)
        throw new IllegalStateError('too-many-ssh-keys', `there are ${mostSshKeys} keys already`);
      return [{ type: 'SshKeyAdded', data }];
    case 'RemoveSshKey':
      return hasKey(user, data.fingerprint) ? [{ type: 'SshKeyRemoved', data }] : [];
  }
};

export const user: Decider<User, UserCommand, UserEvent> = { initialState, decide, evolve };

export const userStream = (userId: number): string => `user-${userId}`;
