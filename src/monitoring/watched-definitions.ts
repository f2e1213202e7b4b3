import type { LogGroupExpressions } from '../expressions/log-groups.ts';
import { logGroupExpressions, SELECT_LOG_GROUPS } from '../logstore/log-group-table.ts';
import { numberOf, textOf } from '../logstore/sql/sql-row.ts';
import { AlertCheck } from './alert-check.ts';
import type { ContinuousAggregates } from './continuous-aggregates.ts';
import {
  type Stored,
  type StoredMetric,
  selectAlerts,
  selectMetrics,
  storedAlert,
  storedMetric,
} from './definitions.ts';
import type { MonitorEvents } from './events.ts';
import { expandMetric } from './metric-groups.ts';
import { MetricRefresh, type MetricRefreshOptions } from './metric-refresh.ts';
import { MonitorError } from './monitor.ts';
import type { MonitorDatabase } from './monitor-database.ts';
import { selectSilences } from './stored-silences.ts';

/** The metrics and alerts that an evaluator handles, by keys that are never used again. */
export class WatchedDefinitions {
  readonly #database: MonitorDatabase;
  readonly #events: MonitorEvents;
  readonly #aggregates: ContinuousAggregates;
  #metrics: ReadonlyMap<string, MetricRefresh> = new Map();
  #alerts: ReadonlyMap<string, AlertCheck> = new Map();
  /** The ends of silences, by the id of the alert. */
  #silences: ReadonlyMap<string, number> = new Map();

  constructor({ database, events, aggregates }: MetricRefreshOptions) {
    this.#database = database;
    this.#events = events;
    this.#aggregates = aggregates;
  }

  get metrics(): ReadonlyMap<string, MetricRefresh> {
    return this.#metrics;
  }

  get alerts(): ReadonlyMap<string, AlertCheck> {
    return this.#alerts;
  }

  /** Whether the alert pages nothing now. */
  isSilenced(alert: string): boolean {
    return (this.#silences.get(alert) ?? 0) > this.#database.nowUnixMicro;
  }

  /**
   * Replaces the set by the definitions in the store; existing entries keep their state. Resolves with whether a metric
   * was added or is gone.
   */
  async read(): Promise<boolean> {
    const database = this.#database;
    const [metricRows = [], alertRows = [], silenceRows = [], groupRows = []] = await database.read([
      selectMetrics(database.dialect),
      selectAlerts(database.dialect),
      selectSilences(database),
      SELECT_LOG_GROUPS,
    ]);
    const groups = logGroupExpressions(groupRows);
    const metrics = new Map<string, MetricRefresh>();
    for (const stored of metricRows.map(storedMetric)) {
      const key = keyOf(stored);
      const refresh = this.#metrics.get(key) ?? this.#refreshOf(stored, groups);
      if (refresh !== undefined) metrics.set(key, refresh);
    }
    const alerts = new Map<string, AlertCheck>();
    for (const stored of alertRows.map(storedAlert)) {
      const key = keyOf(stored);
      if (stored.definition === undefined) this.#skip('alert', stored);
      else alerts.set(key, this.#alerts.get(key) ?? new AlertCheck(stored, stored.definition, database));
    }
    const isChanged =
      metrics.size !== this.#metrics.size || [...metrics.keys()].some((key) => !this.#metrics.has(key));
    this.#metrics = metrics;
    this.#alerts = alerts;
    this.#silences = new Map(silenceRows.map((row) => [textOf(row, 'alert'), numberOf(row, 'until_micro')]));
    return isChanged;
  }

  /** undefined: the definition cannot be used. */
  #refreshOf(stored: StoredMetric, groups: LogGroupExpressions): MetricRefresh | undefined {
    const { definition } = stored;
    if (definition === undefined) {
      this.#skip('metric', stored);
      return undefined;
    }
    try {
      return new MetricRefresh(stored, expandMetric(definition, groups), {
        database: this.#database,
        events: this.#events,
        aggregates: this.#aggregates,
      });
    } catch (error) {
      if (!(error instanceof MonitorError)) throw error;
      this.#skip('metric', { id: stored.id, problem: error.message });
      return undefined;
    }
  }

  #skip(
    kind: 'metric' | 'alert',
    { id, problem = '' }: { readonly id: string; readonly problem?: string | undefined },
  ): void {
    this.#events.unreadable({ kind, id, reason: problem });
  }

  /** From now on another aggregator changes the positions: ours are outdated. */
  forget(): void {
    this.#metrics = new Map();
    this.#alerts = new Map();
  }
}

/**
 * A definition that was deleted and created again is another one with the same name; an edit, also of a log group that
 * it uses, makes it a later one, too.
 */
function keyOf({ id, createdAtUnixMicro }: Stored<unknown>): string {
  return `${id}@${createdAtUnixMicro}`;
}
