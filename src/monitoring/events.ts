import { defineEvents, type Reports } from '../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../runtime/events/metric-table.ts';
import type { AlertChange } from './alert-check.ts';

export const MONITOR_METRICS = metricTable('aggregator_monitor_', {
  evaluator: gauge(
    'evaluator',
    '1 while this aggregator refreshes the metrics and checks the alerts of its store',
  ),
  firing: gauge('firing', 'Firing alerts, counted by segment; 0 if another aggregator is the evaluator'),
  refreshes: counter('refreshes_total', 'Refreshes of metrics'),
  refreshSeconds: counter('refresh_seconds_total', 'Duration of refreshes of metrics'),
  refreshFailures: counter('refresh_failures_total', 'Failed refreshes of metrics'),
  full: counter(
    'full_buckets_total',
    'Computed buckets with the maximum number of segments: smaller ones may be missing',
  ),
  checks: counter('checks_total', 'Checks of alerts'),
  checkFailures: counter('check_failures_total', 'Failed checks of alerts'),
  changes: counter('alert_changes_total', 'State changes of alerts'),
});

interface OfMetric {
  readonly metric: string;
}

interface OfAlert {
  readonly alert: string;
}

interface Reason {
  readonly reason: string;
}

interface Unreadable extends Reason {
  readonly kind: 'metric' | 'alert';
  readonly id: string;
}

export const MONITOR_EVENTS = defineEvents(MONITOR_METRICS, (event) => ({
  evaluating: event<{ readonly isEvaluator: boolean }>({
    info: ({ isEvaluator }) =>
      isEvaluator
        ? 'This aggregator refreshes the metrics and checks the alerts'
        : 'Another aggregator refreshes the metrics and checks the alerts',
    once: ({ isEvaluator }) => ({ topic: 'evaluator', value: String(isEvaluator) }),
    count: ({ evaluator, firing }, { isEvaluator }) => {
      evaluator.set(isEvaluator ? 1 : 0);
      if (!isEvaluator) firing.set(0);
    },
  }),
  refreshed: event<OfMetric & { readonly seconds: number }>({
    info: 'The metric can be refreshed again',
    fields: ({ metric }) => ({ metric }),
    ends: ({ metric }) => `metric ${metric}`,
    count: ({ refreshes, refreshSeconds }, { seconds }) => {
      refreshes.inc();
      refreshSeconds.inc(seconds);
    },
  }),
  refreshFailed: event<OfMetric & Reason>({
    warn: ({ reason }) => `Cannot refresh a metric: ${reason}`,
    once: ({ metric, reason }) => ({ topic: `metric ${metric}`, value: reason }),
    count: ({ refreshFailures }) => refreshFailures.inc(),
  }),
  aggregateCreated: event<OfMetric & { readonly view: string }>({
    info: 'A metric is computed by a continuous aggregate of TimescaleDB',
  }),
  aggregateRefused: event<OfMetric & Reason>({
    info: ({ reason }) => `A metric is computed without a continuous aggregate: ${reason}`,
    once: ({ metric, reason }) => ({ topic: `aggregate ${metric}`, value: reason }),
  }),
  aggregateKept: event<{ readonly view: string } & Reason>({
    warn: ({ reason }) => `Cannot drop the continuous aggregate of a deleted or edited metric: ${reason}`,
    once: ({ view, reason }) => ({ topic: `view ${view}`, value: reason }),
  }),
  /** Buckets have more segments than are kept. */
  segmentsLeftOut: event<OfMetric & { readonly buckets: number }>({
    warn: 'A metric has buckets with the maximum number of segments; smaller ones may be missing',
    fields: ({ metric }) => ({ metric }),
    once: ({ metric }) => ({ topic: `segments ${metric}`, value: 'full' }),
    count: ({ full }, { buckets }) => full.inc(buckets),
  }),
  checked: event<OfAlert>({
    info: 'The alert can be checked again',
    ends: ({ alert }) => `alert ${alert}`,
    count: ({ checks }) => checks.inc(),
  }),
  checkFailed: event<OfAlert & Reason>({
    warn: ({ reason }) => `Cannot check an alert: ${reason}`,
    once: ({ alert, reason }) => ({ topic: `alert ${alert}`, value: reason }),
    count: ({ checkFailures }) => checkFailures.inc(),
  }),
  changed: event<OfAlert & AlertChange>({
    info: 'The state of an alert changed',
    count: ({ changes }) => changes.inc(),
  }),
  pagesLeftOut: event<OfAlert & { readonly segments: number }>({
    warn: 'More segments of an alert fire than are paged',
    once: ({ alert }) => ({ topic: `pages ${alert}`, value: 'many' }),
  }),
  unreadable: event<Unreadable>({
    error: ({ reason }) => `Cannot read a definition in the store, skipping it: ${reason}`,
    once: ({ kind, id, reason }) => ({ topic: `definition ${kind} ${id}`, value: reason }),
  }),
  storeFailed: event<Reason>({
    warn: ({ reason }) => `The monitor cannot use the store, retrying: ${reason}`,
    once: ({ reason }) => ({ topic: 'store', value: reason }),
  }),
  storeWorks: event({ info: 'The monitor can use the store again', ends: () => 'store' }),
  firing: event<{ readonly segments: number }>({ count: ({ firing }, { segments }) => firing.set(segments) }),
  broken: event<{ readonly err: unknown }>({ error: 'Internal error in the monitor; it continues' }),
}));

export type MonitorEvents = Reports<typeof MONITOR_EVENTS.definitions>;
