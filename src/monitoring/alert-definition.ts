import { z } from 'zod';
import { identifier, STATISTICS } from './metric-definition.ts';

export const COMPARISONS = ['>', '>=', '<', '<=', '==', '!='] as const;
export type Comparison = (typeof COMPARISONS)[number];

const seconds = z.int().max(86_400 * 366);

/** A statistic over the newest buckets of a metric, held against a level, for each segment of the metric. */
export const alertDefinition = z
  .strictObject({
    id: identifier,
    metric: identifier,
    statistic: z
      .enum(STATISTICS)
      .default('avg')
      .meta({ description: 'Over the observations in the window.' }),
    comparison: z
      .enum(COMPARISONS)
      .default('>')
      .meta({ description: 'Fires when: observed, comparison, level.' }),
    level: z.number(),
    windowSeconds: seconds.min(1).default(60),
    forSeconds: seconds
      .min(0)
      .default(0)
      .meta({ description: 'It has to hold for so long before it fires.' }),
    checkSeconds: seconds.min(1).optional().meta({ description: "Default: the metric's period." }),
    noData: z
      .enum(['no-data', 'ok', 'firing', 'keep'])
      .default('no-data')
      .meta({ description: 'What the state becomes when the window holds no observation.' }),
    fillMissing: z
      .boolean()
      .optional()
      .meta({ description: 'A bucket without records counts as 0. Default: for metrics that count.' }),
    notify: z.boolean().default(true).meta({ description: 'Page while it fires.' }),
  })
  .meta({ description: 'An alert.' });
export type AlertDefinition = z.output<typeof alertDefinition>;

export const ALERT_STATES = ['ok', 'firing', 'no-data'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** How an alert, or one segment of it, stands. */
export const alertStatus = z.object({
  alert: z.string(),
  segment: z.string().nullable(),
  state: z.enum(ALERT_STATES),
  since: z.string(),
  observed: z.number().nullable(),
  level: z.number(),
  comparison: z.enum(COMPARISONS),
  /** It holds, but not yet for so long as it has to. */
  pendingSince: z.string().nullable(),
  checkedAt: z.string(),
});
export type AlertStatus = z.infer<typeof alertStatus>;

export const alertReport = z.object({
  definition: z.custom<AlertDefinition>().meta({ description: 'As it was created, with every default.' }),
  createdAt: z.string(),
  states: z.array(alertStatus).meta({ description: 'Empty: not checked yet.' }),
  problem: z
    .object({ reason: z.string(), since: z.string() })
    .optional()
    .meta({ description: 'The alert cannot be checked: the states are old. Absent: it can.' }),
});
export type AlertReport = z.infer<typeof alertReport>;

/** A change from one state to another; one row for each. */
export const alertEvent = z.object({
  alert: z.string(),
  segment: z.string().nullable(),
  at: z.string(),
  from: z.enum(ALERT_STATES),
  to: z.enum(ALERT_STATES),
  observed: z.number().nullable(),
  level: z.number(),
  comparison: z.enum(COMPARISONS),
});
export type AlertEvent = z.infer<typeof alertEvent>;
