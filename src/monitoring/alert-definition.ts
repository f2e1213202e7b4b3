import { z } from 'zod';
import { alertSilence } from './alert-silence.ts';
import { changesInAnswer, identifier, STATISTICS } from './metric-definition.ts';

export const COMPARISONS = ['>', '>=', '<', '<=', '==', '!='] as const;
export type Comparison = (typeof COMPARISONS)[number];

const seconds = z.int().max(86_400 * 366);

/** Compares a statistic over the newest buckets of a metric with a level, for each segment of the metric. */
export const alertDefinition = z
  .strictObject({
    id: identifier,
    metric: identifier,
    statistic: z
      .enum(STATISTICS)
      .default('avg')
      .meta({ description: 'Statistic of the observations in the window.' }),
    comparison: z.enum(COMPARISONS).default('>').meta({
      description: 'The alert fires while the comparison of the observed value with the level is true.',
    }),
    level: z.number(),
    windowSeconds: seconds.min(1).default(60),
    forSeconds: seconds
      .min(0)
      .default(0)
      .meta({ description: 'Time for which the comparison must be true before the alert fires.' }),
    checkSeconds: seconds.min(1).optional().meta({ description: "Default: the metric's period." }),
    noData: z
      .enum(['no-data', 'ok', 'firing', 'keep'])
      .default('no-data')
      .meta({ description: 'State for a window without observations.' }),
    fillMissing: z
      .boolean()
      .optional()
      .meta({ description: 'Count a bucket without records as 0. Default: true for metrics that count.' }),
    notify: z.boolean().default(true).meta({ description: 'Send a page when the alert fires.' }),
  })
  .meta({ description: 'An alert.' });
export type AlertDefinition = z.output<typeof alertDefinition>;

export const ALERT_STATES = ['ok', 'firing', 'no-data'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** The state of an alert, or of one of its segments. */
export const alertStatus = z.object({
  alert: z.string(),
  segment: z.string().nullable(),
  state: z.enum(ALERT_STATES),
  since: z.string(),
  observed: z.number().nullable(),
  level: z.number(),
  comparison: z.enum(COMPARISONS),
  /** The comparison is true, but not yet for `forSeconds`. */
  pendingSince: z.string().nullable(),
  checkedAt: z.string(),
});
export type AlertStatus = z.infer<typeof alertStatus>;

export const alertReport = z.object({
  definition: z
    .custom<AlertDefinition>()
    .meta({ description: 'The definition as it was created, with all defaults.' }),
  createdAt: z.string(),
  states: z.array(alertStatus).meta({ description: 'Empty if the alert is not checked yet.' }),
  silence: alertSilence
    .optional()
    .meta({ description: 'Present while the alert is silenced: its state changes, and it pages nothing.' }),
  problem: z
    .object({ reason: z.string(), since: z.string() })
    .optional()
    .meta({ description: 'Present if the alert cannot be checked; its states are old then.' }),
});
export type AlertReport = z.infer<typeof alertReport>;

export const editedAlert = z.object({ ...alertReport.shape, changes: changesInAnswer });
/** An alert that an edit has changed. */
export type EditedAlert = z.infer<typeof editedAlert>;

/** A change from one state to another. */
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
