import { z } from 'zod';
import { moment } from '../logstore/logs/log-requests.ts';

/**
 * A silence of an alert: until it ends, the alert changes its state and pages nothing. A page that is open stays
 * open, and is resolved when the alert stops firing. If the alert still fires at the end, it pages then.
 */
export const alertSilence = z.object({
  until: z.string(),
  reason: z.string(),
  by: z.string().meta({ description: 'The name that the client has given.' }),
});
export type AlertSilence = z.infer<typeof alertSilence>;

export const silenceRequest = z.strictObject({
  until: moment.meta({
    description: 'The end: RFC 3339, or a duration from now.',
    examples: ['2026-01-31T10:00:00Z', '2h'],
  }),
  reason: z.string().max(500).default(''),
  by: z.string().max(100).default('').meta({ description: 'A name of the client, for other people.' }),
});
export type SilenceRequest = z.output<typeof silenceRequest>;
