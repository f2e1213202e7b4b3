import { z } from 'zod';
import { alertEvent, alertReport as storedAlert } from '../../../monitoring/alert-definition.ts';
import { logGroupReport } from '../../../monitoring/log-group-definition.ts';
import { metricPoint, metricReport as storedMetric } from '../../../monitoring/metric-definition.ts';

/**
 * The answers of the API, where its schemas alone are not sufficient: the aggregator may have another
 * version, and unknown parts of its definitions must not prevent showing the known parts. Answers about logs
 * have the schemas of `logstore/logs/log-requests.ts`.
 */
const metricDefinition = z.looseObject({
  id: z.string(),
  statistic: z.string(),
  property: z.string(),
  periodSeconds: z.number().positive(),
  segment: z.unknown().optional(),
});

const alertDefinition = z.looseObject({
  id: z.string(),
  metric: z.string(),
  statistic: z.string(),
  comparison: z.string(),
  level: z.number(),
  windowSeconds: z.number(),
});

export const metricAnswer = z.object({ ...storedMetric.shape, definition: metricDefinition });
export type MetricAnswer = z.infer<typeof metricAnswer>;

export const alertAnswer = z.object({ ...storedAlert.shape, definition: alertDefinition });
export type AlertAnswer = z.infer<typeof alertAnswer>;

/** `changes`: the effects of an edit. */
const changes = z.array(z.string());
export const editedMetricAnswer = z.object({ ...metricAnswer.shape, changes });
export type EditedMetricAnswer = z.infer<typeof editedMetricAnswer>;
export const editedAlertAnswer = z.object({ ...alertAnswer.shape, changes });
export type EditedAlertAnswer = z.infer<typeof editedAlertAnswer>;
export const logGroupsAnswer = z.object({ groups: z.array(logGroupReport) });

export const metricsAnswer = z.object({ metrics: z.array(metricAnswer) });
export const alertsAnswer = z.object({ alerts: z.array(alertAnswer) });
export const pointsAnswer = z.object({ points: z.array(metricPoint) });
export const eventsAnswer = z.object({ events: z.array(alertEvent) });
export const defaultsAnswer = z.object({ created: z.array(z.string()), existing: z.array(z.string()) });
export type DefaultsAnswer = z.infer<typeof defaultsAnswer>;
