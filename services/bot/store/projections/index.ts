import { operations } from './operations.ts';
import { plans } from './plans.ts';
import type { Projection } from './projection.ts';
import { settings } from './settings.ts';
import { sshKeys } from './ssh-keys.ts';
import { strays } from './strays.ts';
import { users } from './users.ts';
import { vms } from './vms.ts';

/** Every projection, in the order in which an event is applied to them. */
export const projections: readonly Projection[] = [vms, operations, users, sshKeys, plans, settings, strays];
