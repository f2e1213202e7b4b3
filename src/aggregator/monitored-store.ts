import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../runtime/clock.ts';
import type { Component } from '../runtime/component.ts';
import { createLogSearch } from '../store/logs/create-log-search.ts';
import type { LogSearch } from '../store/logs/log-search.ts';
import type { AlertPager } from '../store/monitor/alert-pager.ts';
import { createMonitor } from '../store/monitor/create-monitor.ts';
import type { Monitor } from '../store/monitor/monitor.ts';
import type { SqlDatabase } from '../store/sql/sql-database.ts';

/** Search, metrics and alerts of one store of the aggregator. */
export interface MonitoredStore extends Component {
  readonly search: LogSearch;
  readonly monitor: Monitor;
}

export interface MonitoredStoreOptions {
  readonly database: SqlDatabase;
  readonly pager: AlertPager;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/** Less than the API's time limit, so that the database ends queries that take too long. */
const SEARCH_TIMEOUT_MS = 15_000;

/** Started after the store's emitter, stopped before it. */
export function createMonitoredStore(options: MonitoredStoreOptions): MonitoredStore {
  const monitor = createMonitor({ ...options, holder: randomUUID() });
  return {
    search: createLogSearch(options.database, { clock: options.clock, timeoutMs: SEARCH_TIMEOUT_MS }),
    monitor,
    start: () => monitor.start(),
    stop: (deadline) => monitor.stop(deadline),
  };
}
