import type { Logger } from 'pino';
import type { Counter } from 'prom-client';
import { EventLimiter } from '../../transport/event-limiter.ts';
import type { EmitterContext } from '../emitter.ts';
import { emitterCounter } from '../metrics.ts';

const LOG_INTERVAL_MS = 600_000;

/** What happens in the embedded store besides writing: each is logged and counted here. */
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
    // Steps are small and many: their rows are summed up.
    this.#deletions = new EventLimiter(clock, LOG_INTERVAL_MS, ({ kind, count }) =>
      logger.info({ rows: count, why: kind }, 'Old records were deleted'),
    );
    this.#rows = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_duckdb_rows_total',
      help: 'Records that were stored.',
    });
    this.#deletedRows = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_duckdb_deleted_rows_total',
      help: 'Records that were deleted for their age, or for the size of the file.',
    });
    this.#failures = emitterCounter(metrics, name, {
      name: 'aggregator_emitter_duckdb_failures_total',
      help: 'Times that the database file could not be used.',
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
    this.#logger.error({ reason }, 'The store cannot be used; what comes waits in the queue');
  }

  checkpointFailed(reason: string): void {
    this.#failures.inc();
    this.#logger.warn({ reason }, 'The write-ahead log of the store could not be worked into its file yet');
  }

  retentionFailed(reason: string): void {
    this.#failures.inc();
    this.#logger.warn({ reason }, 'Old records could not be deleted yet');
  }

  stop(): void {
    this.#deletions.flush();
  }
}
