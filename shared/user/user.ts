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
export type UserEvent = UserAllowed | UserRemoved | AccessRequested | AccessRefused;

export type AllowUser = Message<'AllowUser', UserAllowed['data']>;
export type RemoveUser = Message<'RemoveUser', UserRemoved['data']>;
export type RequestAccess = Message<'RequestAccess', AccessRequested['data']>;
export type RefuseAccess = Message<'RefuseAccess', AccessRefused['data']>;
export type UserCommand = AllowUser | RemoveUser | RequestAccess | RefuseAccess;

export type UserStatus = 'unknown' | 'asking' | 'allowed' | 'refused' | 'removed';

export type User = Readonly<{ status: UserStatus; planId: string | null; username: string | null }>;

export const initialState: User = { status: 'unknown', planId: null, username: null };

export const evolve = (user: User, { type, data }: UserEvent): User => {
  switch (type) {
    case 'UserAllowed':
      return { status: 'allowed', planId: data.planId, username: data.username ?? user.username };
    case 'UserRemoved':
      return { ...user, status: 'removed' };
    case 'AccessRequested':
      return { ...user, status: 'asking', username: data.username ?? user.username };
    case 'AccessRefused':
      return { ...user, status: 'refused' };
  }
};

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
  }
};

export const user: Decider<User, UserCommand, UserEvent> = { initialState, decide, evolve };

export const userStream = (userId: number): string => `user-${userId}`;
