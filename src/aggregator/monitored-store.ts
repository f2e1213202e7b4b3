import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { createLogSearch } from '../logstore/logs/create-log-search.ts';
import type { LogSearch } from '../logstore/logs/log-search.ts';
import type { SqlDatabase } from '../logstore/sql/sql-database.ts';
import type { AlertPager } from '../monitoring/alert-pager.ts';
import { createMonitor } from '../monitoring/create-monitor.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Component } from '../runtime/component.ts';

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
