import { z } from 'zod';
import { logFilter, propertyName, unknownInAnswer } from '../logstore/logs/log-requests.ts';
import { metricSegment } from './metric-segment.ts';

export const STATISTICS = ['count', 'avg', 'min', 'max', 'stddev', 'variance', 'p50', 'p95', 'p99'] as const;
export type Statistic = (typeof STATISTICS)[number];

/** The name of a metric or an alert. It is never part of a statement all the same. */
export const identifier = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'expected a lower-case letter, then at most 62 of a-z, 0-9 and _')
  .meta({ description: 'A name, such as requests_per_route.', examples: ['requests_per_route'] });

const seconds = z.int().max(86_400 * 366);

/**
 * A statistic of a property of the records in each bucket of time, once or for each segment.
 *
 *      now - startOffset                                   now - endOffset      now
 *     --------|-----------------------------------------------|------------------|
 *     settled |  kept up to date: late records open it again  | not complete yet
 */
export const metricDefinition = z
  .strictObject({
    id: identifier,
    statistic: z
      .enum(STATISTICS)
      .default('count')
      .meta({ description: 'stddev and variance are computed for a sample.' }),
    property: z
      .union([z.literal('*'), propertyName])
      .default('*')
      .meta({
        description: 'Property of the statistic; `*`: the records themselves, which can only be counted.',
      }),
    periodSeconds: seconds.min(1).default(60).meta({ description: 'The length of a bucket.' }),
    refreshSeconds: seconds.min(1).optional().meta({ description: 'Refresh interval; default: the period.' }),
    startOffsetSeconds: seconds
      .min(1)
      .default(86_400)
      .meta({ description: 'Maximum delay of a record that is still counted.' }),
    endOffsetSeconds: seconds.min(0).optional().meta({
      description: 'Time after which a bucket is computed for the first time; default: the period.',
    }),
    segment: metricSegment.optional().meta({
      description:
        'Compute several series: one for each value of a property, `true` and `false` of an expression, or one for each named expression. A record is in the first one that is true; null: in none.',
    }),
    filter: logFilter.optional(),
  })
  .refine(({ statistic, property }) => property !== '*' || statistic === 'count', {
    path: ['property'],
    message: 'expected a property such as response_bsize: all records (*) can only be counted',
  })
  .transform((metric) => ({
    ...metric,
    refreshSeconds: metric.refreshSeconds ?? metric.periodSeconds,
    endOffsetSeconds: metric.endOffsetSeconds ?? metric.periodSeconds,
  }))
  .refine(({ startOffsetSeconds, endOffsetSeconds }) => startOffsetSeconds > endOffsetSeconds, {
    path: ['startOffsetSeconds'],
    message: 'expected more than endOffsetSeconds',
  });
/** A definition with all defaults, as it is stored. */
export type MetricDefinition = z.output<typeof metricDefinition>;

export const metricReport = z.object({
  definition: z
    .custom<MetricDefinition>()
    .meta({ description: 'The definition as it was created, with all defaults.' }),
  createdAt: z.string(),
  refreshedAt: z.string().nullable().meta({ description: 'null if the metric is not refreshed yet.' }),
  points: z.int().meta({ description: 'Number of observations.' }),
  unknown: unknownInAnswer,
  setAside: z
    .array(z.object({ time: z.string(), reason: z.string() }))
    .optional()
    .meta({
      description:
        'The newest buckets that the store cannot compute; they have no value. Absent if there are none.',
    }),
});
export type MetricReport = z.infer<typeof metricReport>;

/** `changes`: the effects of an edit on the past, as sentences. */
export const changesInAnswer = z.array(z.string()).meta({
  description: 'For people: the effects of the edit on stored points and states. Empty if there are none.',
});

export const editedMetric = z.object({ ...metricReport.shape, changes: changesInAnswer });
/** A metric that an edit has changed. */
export type EditedMetric = z.infer<typeof editedMetric>;

export const pointsRequest = z.strictObject({
  limit: z.int().min(1).max(10_000).default(100).meta({ description: 'Number of newest buckets.' }),
  segment: z.string().max(1000).optional(),
});
export type PointsRequest = z.infer<typeof pointsRequest>;

export const metricPoint = z.object({
  time: z.string().meta({ description: 'Start of the bucket.' }),
  segment: z
    .string()
    .nullable()
    .meta({ description: 'null if the metric has no segments, or the records have no such property.' }),
  value: z
    .number()
    .nullable()
    .meta({ description: 'null if there are too few values (such as for the deviation of one value).' }),
  count: z.int().meta({ description: 'Number of values; 0 if the bucket cannot be computed.' }),
  problem: z
    .string()
    .optional()
    .meta({ description: 'The reason why the bucket has no value, if it should have one.' }),
});
export type MetricPoint = z.infer<typeof metricPoint>;
