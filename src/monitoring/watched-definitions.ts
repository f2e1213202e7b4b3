import { AlertCheck } from './alert-check.ts';
import { type Stored, selectAlerts, selectMetrics, storedAlert, storedMetric } from './definitions.ts';
import type { MonitorEvents } from './events.ts';
import { MetricRefresh } from './metric-refresh.ts';
import type { MonitorDatabase } from './monitor-database.ts';

/** The metrics and alerts that an evaluator handles, by keys that are never used again. */
export class WatchedDefinitions {
  readonly #database: MonitorDatabase;
  readonly #events: MonitorEvents;
  #metrics: ReadonlyMap<string, MetricRefresh> = new Map();
  #alerts: ReadonlyMap<string, AlertCheck> = new Map();

  constructor(database: MonitorDatabase, events: MonitorEvents) {
    this.#database = database;
    this.#events = events;
  }

  get metrics(): ReadonlyMap<string, MetricRefresh> {
    return this.#metrics;
  }

  get alerts(): ReadonlyMap<string, AlertCheck> {
    return this.#alerts;
  }

  /** Replaces the set by the definitions in the store; existing entries keep their state. */
  async read(): Promise<void> {
    const database = this.#database;
    const [metricRows = [], alertRows = []] = await database.read([
      selectMetrics(database.dialect),
      selectAlerts(database.dialect),
    ]);
    const metrics = new Map<string, MetricRefresh>();
    for (const stored of metricRows.map(storedMetric)) {
      const key = keyOf(stored);
      if (stored.definition === undefined) this.#skip('metric', stored);
      else metrics.set(key, this.#metrics.get(key) ?? new MetricRefresh(stored, stored.definition, database));
    }
    const alerts = new Map<string, AlertCheck>();
    for (const stored of alertRows.map(storedAlert)) {
      const key = keyOf(stored);
      if (stored.definition === undefined) this.#skip('alert', stored);
      else alerts.set(key, this.#alerts.get(key) ?? new AlertCheck(stored, stored.definition, database));
    }
    this.#metrics = metrics;
    this.#alerts = alerts;
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

/** A definition that was deleted and created again is another one with the same name. */
function keyOf({ id, createdAtUnixMicro }: Stored<unknown>): string {
  return `${id}@${createdAtUnixMicro}`;
}
