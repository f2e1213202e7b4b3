import { z } from 'zod';
import { emitterLiveReport, liveReportShape } from './live-reports.ts';

/** Answers of the operations on the queue. Times and 64-bit numbers are decimal texts. */

export const amountReport = z.object({ records: z.number(), bytes: z.number() });
export type AmountReport = z.infer<typeof amountReport>;

export const emitterBalanceReport = z.object({
  emitter: z.string(),
  before: amountReport.meta({ description: 'Accepted and removed before this name began.' }),
  delivered: amountReport,
  queued: amountReport,
  deadLettered: amountReport,
  discarded: amountReport,
  filtered: amountReport
    .optional()
    .meta({ description: 'Dropped by the filter of the emitter. Absent from an earlier version.' }),
  ...emitterLiveReport.partial().shape,
});
export type EmitterBalanceReport = z.infer<typeof emitterBalanceReport>;

export const filterReport = z.object({
  emitter: z.string(),
  filter: z.string().nullable().meta({ description: 'The filter in use. null: the emitter has none.' }),
  state: z.enum(['active', 'pending', 'broken']).meta({
    description:
      'pending: a changed filter waits until the batches before it are delivered. broken: the changed file is ' +
      'invalid, and the earlier filter stays in use.',
  }),
  problems: z.array(z.string()),
  errors: z.number().meta({ description: 'Values that the filter could not use, since the start.' }),
});

/** For each emitter: accepted = before + delivered + filtered + queued + deadLettered + discarded. */
export const aggregatorStatusReport = z.looseObject({
  role: z.literal('aggregator'),
  accepted: amountReport,
  emitters: z.array(emitterBalanceReport),
  diskBytes: z.number().meta({ description: 'Size of the queue on disk.' }),
  filters: z
    .array(filterReport)
    .optional()
    .meta({ description: 'The filter of each emitter; absent if no aggregator runs.' }),
  ...liveReportShape,
});
export type AggregatorStatus = Readonly<z.infer<typeof aggregatorStatusReport>>;

export const deadLetterReport = amountReport.extend({
  id: z.string(),
  emitter: z.string(),
  stream: z.string(),
  position: z.number(),
  reason: z.string(),
  rejectedTimeUnixNano: z.string().regex(/^[0-9]+$/),
  replaying: z.boolean().meta({ description: 'A replay was requested and is not complete.' }),
});
export type DeadLetterReport = Readonly<z.infer<typeof deadLetterReport>>;

export const deadLetterContent = z.object({
  letter: deadLetterReport,
  format: z.string(),
  resource: z.record(z.string(), z.string()),
  data: z.base64().meta({ description: 'The records one after another, in base64.' }),
});
export type DeadLetterContent = Readonly<z.infer<typeof deadLetterContent>>;

export const countReport = z.object({
  count: z.int().meta({ description: 'Dead letters that were found.' }),
});

export const emitterReport = z.object({
  name: z.string(),
  configured: z.boolean().meta({ description: 'Part of the configuration of the running aggregator.' }),
  queued: amountReport,
  deadLettered: amountReport,
});
export type EmitterReport = Readonly<z.infer<typeof emitterReport>>;
