import { z } from 'zod';
import { badRequest } from '../refusal.ts';
import { defineMethod } from './method.ts';
import { flag, integer, json, text } from './parameters.ts';

/** Receiving: long polling only. Telegram bounds what is asked for instead of refusing it. */

const between = (value: number, min: number, max: number) => Math.min(Math.max(value, min), max);

export const getUpdates = defineMethod(
  z.object({
    offset: integer.default(0),
    limit: integer.default(100),
    timeout: integer.default(0),
    allowed_updates: json(z.array(z.string())).optional(),
  }),
  ({ practice, signal }, params) =>
    practice.updates.poll({
      offset: params.offset,
      limit: between(params.limit, 1, 100),
      timeoutMs: between(params.timeout, 0, 50) * 1000,
      allowed: params.allowed_updates,
      signal,
    }),
);

export const deleteWebhook = defineMethod(
  z.object({ drop_pending_updates: flag }),
  ({ practice }, params) => {
    if (params.drop_pending_updates) practice.updates.drop();
    return true;
  },
);

export const setWebhook = defineMethod(z.object({ url: text.default('') }), (_call, { url }) => {
  if (url === '') return true;
  throw badRequest('bad webhook: the practice chat delivers updates by getUpdates only');
});

export const getWebhookInfo = defineMethod(z.object({}), ({ practice }) => ({
  url: '',
  has_custom_certificate: false,
  pending_update_count: practice.updates.pending().length,
}));
