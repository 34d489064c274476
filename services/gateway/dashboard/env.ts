import { z } from 'zod';

/** The variables of dashboard and figures: a piece of the gateway's schema. */
export const dashboardVariables = {
  /** `on`: the dashboard may also retry, remove and pause. */
  DASHBOARD_WRITE: z.enum(['on', 'off'], { error: 'must be on or off' }).default('off'),
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
};
