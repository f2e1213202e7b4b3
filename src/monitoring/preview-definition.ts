import { z } from 'zod';
import { timeRange } from '../logstore/logs/log-requests.ts';
import { alertDefinition, alertEvent } from './alert-definition.ts';
import { metricDefinition } from './metric-definition.ts';

/** The points of a metric that is not created yet, or of an alert, computed from the records in the store. */
export const metricPreviewRequest = z.strictObject({
  definition: metricDefinition,
  ...timeRange.shape,
});
export type MetricPreviewRequest = z.output<typeof metricPreviewRequest>;

export const previewPoint = z.object({
  time: z.string().meta({ description: 'Start of the bucket.' }),
  segment: z.string().nullable(),
  value: z.number().nullable(),
});
export type PreviewPoint = z.infer<typeof previewPoint>;

const points = z
  .array(previewPoint)
  .meta({ description: 'Oldest first. Buckets without records are absent. At most 20 segments.' });

export const metricPreview = z.object({ points });
export type MetricPreview = z.infer<typeof metricPreview>;

export const alertPreviewRequest = z.strictObject({
  definition: alertDefinition,
  metric: metricDefinition
    .optional()
    .meta({ description: 'A metric that is not created yet. Default: the metric that the alert names.' }),
  ...timeRange.shape,
});
export type AlertPreviewRequest = z.output<typeof alertPreviewRequest>;

export const alertPreview = z.object({
  points,
  observations: z
    .array(previewPoint)
    .meta({ description: 'The observed values; `time` is the time of the check.' }),
  changes: z.array(alertEvent).meta({ description: 'The changes that would have happened, oldest first.' }),
});
export type AlertPreview = z.infer<typeof alertPreview>;
