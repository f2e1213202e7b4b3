import type { Logger } from 'pino';
import type { Counter } from 'prom-client';
import { EventLimiter } from '../../transport/event-limiter.ts';
import type { EmitterContext } from '../emitter.ts';
import { emitterCounter } from '../metrics.ts';

const LOG_INTERVAL_MS = 600_000;

/** Logs and counts the events of the embedded store, except writes. */
export class DuckDbEvents {
  readonly #logger: Logger;
  readonly #rows: Counter.Internal;
  readonly #deletedRows: Counter.Internal;
  readonly #failures: Counter.Internal;
  readonly #deletions: EventLimiter<{ readonly kind: string }>;

  constructor({
    logger,
    metrics,
    name,
    clock,
  }: Pick<EmitterContext, 'logger' | 'metrics' | 'name' | 'clock'>) {
    this.#logger = logger;
    // Steps are small and frequent: their rows are added up.
    this.#deletions = new EventLimiter(clock, LOG_INTERVAL_MS, ({ kind, count }) =>
      logger.info({ rows: count, why: kind }, 'Deleted old records'),
    );
    this.#rows = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_duckdb_rows_total',
      help: 'Stored records.',
    });
    this.#deletedRows = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_duckdb_deleted_rows_total',
      help: 'Records deleted because of their age or of the size of the file.',
    });
    this.#failures = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_duckdb_failures_total',
      help: 'Failures to use the database file.',
    });
  }

  opened(path: string): void {
    this.#logger.info({ path }, 'Opened the database of the store');
  }

  stored(rows: number): void {
    this.#rows.inc(rows);
  }

  deleted(rows: number, why: string): void {
    this.#deletedRows.inc(rows);
    this.#deletions.emit({ kind: why }, rows);
  }

  unavailable(reason: string): void {
    this.#failures.inc();
    this.#logger.error({ reason }, `Cannot use the store, records stay queued: ${reason}`);
  }

  checkpointFailed(reason: string): void {
    this.#failures.inc();
    this.#logger.warn({ reason }, `Cannot checkpoint the write-ahead log of the store yet: ${reason}`);
  }

  retentionFailed(reason: string): void {
    this.#failures.inc();
    this.#logger.warn({ reason }, `Cannot delete old records yet: ${reason}`);
  }

  stop(): void {
    this.#deletions.flush();
  }
}
