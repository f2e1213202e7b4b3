import type { Logger } from 'pino';
import { Counter, Gauge, Registry } from 'prom-client';
import type { AlertChange } from './alert-check.ts';

/** What happens in the monitor, logged and counted in one place. */
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
    help: 'Alerts that fire, each segment counted; 0 where another aggregator is the evaluator.',
    registers,
  });
  const refreshes = counter('aggregator_monitor_refreshes_total', 'Refreshes of metrics.');
  const refreshSeconds = counter(
    'aggregator_monitor_refresh_seconds_total',
    'Time taken by refreshes of metrics.',
  );
  const refreshFailures = counter(
    'aggregator_monitor_refresh_failures_total',
    'Refreshes of metrics that failed.',
  );
  const full = counter(
    'aggregator_monitor_full_buckets_total',
    'Computed buckets with as many segments as are kept: the smallest may be left out.',
  );
  const checks = counter('aggregator_monitor_checks_total', 'Checks of alerts.');
  const checkFailures = counter('aggregator_monitor_check_failures_total', 'Checks of alerts that failed.');
  const changes = counter('aggregator_monitor_alert_changes_total', 'Changes of the state of an alert.');
  // What stays as it is, is told once.
  const told = new Map<string, string>();
  const tellOnce = (about: string, what: string, tell: () => void) => {
    if (told.get(about) === what) return;
    if (told.size >= MAX_TOLD) told.clear();
    told.set(about, what);
    tell();
  };
  return {
    evaluating: (isEvaluator) => {
      evaluator.set(isEvaluator ? 1 : 0);
      if (!isEvaluator) firing.set(0);
      tellOnce('evaluator', String(isEvaluator), () =>
        logger.info(
          { isEvaluator },
          isEvaluator
            ? 'This aggregator refreshes the metrics and checks the alerts.'
            : 'Another aggregator refreshes the metrics and checks the alerts.',
        ),
      );
    },
    refreshed: (metric, seconds) => {
      refreshes.inc();
      refreshSeconds.inc(seconds);
      if (told.delete(`metric ${metric}`)) logger.info({ metric }, 'The metric can be refreshed again.');
    },
    refreshFailed: (metric, reason) => {
      refreshFailures.inc();
      tellOnce(`metric ${metric}`, reason, () =>
        logger.warn({ metric, reason }, 'A metric could not be refreshed.'),
      );
    },
    segmentsLeftOut: (metric, buckets) => {
      full.inc(buckets);
      tellOnce(`segments ${metric}`, 'full', () =>
        logger.warn(
          { metric },
          'A metric has buckets with as many segments as are kept; the smallest may be left out.',
        ),
      );
    },
    checked: (alert) => {
      checks.inc();
      if (told.delete(`alert ${alert}`)) logger.info({ alert }, 'The alert can be checked again.');
    },
    checkFailed: (alert, reason) => {
      checkFailures.inc();
      tellOnce(`alert ${alert}`, reason, () =>
        logger.warn({ alert, reason }, 'An alert could not be checked.'),
      );
    },
    changed: (alert, change) => {
      changes.inc();
      logger.info({ alert, ...change }, 'The state of an alert has changed.');
    },
    pagesLeftOut: (alert, segments) =>
      tellOnce(`pages ${alert}`, 'many', () =>
        logger.warn({ alert, segments }, 'More segments of an alert fire than are paged.'),
      ),
    unreadable: (kind, id, reason) =>
      tellOnce(`definition ${kind} ${id}`, reason, () =>
        logger.error({ kind, id, reason }, 'A definition in the store cannot be read; it is left out.'),
      ),
    storeFailed: (reason) =>
      tellOnce('store', reason, () =>
        logger.warn({ reason }, 'The monitor cannot use the store; it goes on trying.'),
      ),
    storeWorks: () => {
      if (told.delete('store')) logger.info('The monitor can use the store again.');
    },
    firing: (segments) => firing.set(segments),
    broken: (error) => logger.error({ err: error }, 'The monitor has a fault of its own; it goes on.'),
  };
}

const MAX_TOLD = 1000;
