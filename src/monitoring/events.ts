import type { Logger } from 'pino';
import { Counter, Gauge, Registry } from 'prom-client';
import type { AlertChange } from './alert-check.ts';

/** Logs and counts the events of the monitor. */
export interface MonitorEvents {
  evaluating(isEvaluator: boolean): void;
  refreshed(metric: string, seconds: number): void;
  refreshFailed(metric: string, reason: string): void;
  /** Buckets have more segments than are kept. */
  segmentsLeftOut(metric: string, buckets: number): void;
  checked(alert: string): void;
  checkFailed(alert: string, reason: string): void;
  changed(alert: string, change: AlertChange): void;
  pagesLeftOut(alert: string, segments: number): void;
  unreadable(kind: 'metric' | 'alert', id: string, reason: string): void;
  storeFailed(reason: string): void;
  storeWorks(): void;
  firing(segments: number): void;
  broken(error: unknown): void;
}

export function createMonitorEvents(logger: Logger, metrics: Registry = new Registry()): MonitorEvents {
  const registers = [metrics];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const evaluator = new Gauge({
    name: 'aggregator_monitor_evaluator',
    help: '1 while this aggregator refreshes the metrics and checks the alerts of its store.',
    registers,
  });
  const firing = new Gauge({
    name: 'aggregator_monitor_firing',
    help: 'Firing alerts, counted by segment; 0 if another aggregator is the evaluator.',
    registers,
  });
  const refreshes = counter('aggregator_monitor_refreshes_total', 'Refreshes of metrics.');
  const refreshSeconds = counter(
    'aggregator_monitor_refresh_seconds_total',
    'Duration of refreshes of metrics.',
  );
  const refreshFailures = counter(
    'aggregator_monitor_refresh_failures_total',
    'Failed refreshes of metrics.',
  );
  const full = counter(
    'aggregator_monitor_full_buckets_total',
    'Computed buckets with the maximum number of segments: smaller ones may be missing.',
  );
  const checks = counter('aggregator_monitor_checks_total', 'Checks of alerts.');
  const checkFailures = counter('aggregator_monitor_check_failures_total', 'Failed checks of alerts.');
  const changes = counter('aggregator_monitor_alert_changes_total', 'State changes of alerts.');
  // A repeated event is logged once.
  const reported = new Map<string, string>();
  const logOnce = (about: string, what: string, tell: () => void) => {
    if (reported.get(about) === what) return;
    if (reported.size >= MAX_TOLD) reported.clear();
    reported.set(about, what);
    tell();
  };
  return {
    evaluating: (isEvaluator) => {
      evaluator.set(isEvaluator ? 1 : 0);
      if (!isEvaluator) firing.set(0);
      logOnce('evaluator', String(isEvaluator), () =>
        logger.info(
          { isEvaluator },
          isEvaluator
            ? 'This aggregator refreshes the metrics and checks the alerts'
            : 'Another aggregator refreshes the metrics and checks the alerts',
        ),
      );
    },
    refreshed: (metric, seconds) => {
      refreshes.inc();
      refreshSeconds.inc(seconds);
      if (reported.delete(`metric ${metric}`)) logger.info({ metric }, 'The metric can be refreshed again');
    },
    refreshFailed: (metric, reason) => {
      refreshFailures.inc();
      logOnce(`metric ${metric}`, reason, () =>
        logger.warn({ metric, reason }, `Cannot refresh a metric: ${reason}`),
      );
    },
    segmentsLeftOut: (metric, buckets) => {
      full.inc(buckets);
      logOnce(`segments ${metric}`, 'full', () =>
        logger.warn(
          { metric },
          'A metric has buckets with the maximum number of segments; smaller ones may be missing',
        ),
      );
    },
    checked: (alert) => {
      checks.inc();
      if (reported.delete(`alert ${alert}`)) logger.info({ alert }, 'The alert can be checked again');
    },
    checkFailed: (alert, reason) => {
      checkFailures.inc();
      logOnce(`alert ${alert}`, reason, () =>
        logger.warn({ alert, reason }, `Cannot check an alert: ${reason}`),
      );
    },
    changed: (alert, change) => {
      changes.inc();
      logger.info({ alert, ...change }, 'The state of an alert changed');
    },
    pagesLeftOut: (alert, segments) =>
      logOnce(`pages ${alert}`, 'many', () =>
        logger.warn({ alert, segments }, 'More segments of an alert fire than are paged'),
      ),
    unreadable: (kind, id, reason) =>
      logOnce(`definition ${kind} ${id}`, reason, () =>
        logger.error({ kind, id, reason }, `Cannot read a definition in the store, skipping it: ${reason}`),
      ),
    storeFailed: (reason) =>
      logOnce('store', reason, () =>
        logger.warn({ reason }, `The monitor cannot use the store, retrying: ${reason}`),
      ),
    storeWorks: () => {
      if (reported.delete('store')) logger.info('The monitor can use the store again');
    },
    firing: (segments) => firing.set(segments),
    broken: (error) => logger.error({ err: error }, 'Internal error in the monitor; it continues'),
  };
}

const MAX_TOLD = 1000;
