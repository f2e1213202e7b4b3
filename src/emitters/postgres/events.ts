import type { Logger } from 'pino';
import type { Counter } from 'prom-client';
import { EventLimiter } from '../../transport/event-limiter.ts';
import type { EmitterContext } from '../emitter.ts';
import { emitterCounter } from '../metrics.ts';
import { connectionRemedy } from './connection-remedy.ts';
import { describeFailure } from './describe-failure.ts';
import { isConnectError } from './in-transaction.ts';
import type { LayoutFinding } from './migrate.ts';
import type { FlushResult } from './store-slices.ts';

const LOG_INTERVAL_MS = 600_000;

/** `place` contains no secret. `kind`: each reason is logged once per interval. */
type Unreachable = {
  readonly kind: string;
  readonly place: string;
  readonly reason: string;
  readonly remedy: string | undefined;
};

type Notice = { readonly kind: string; readonly reason: string };

/** Events of the PostgreSQL emitter: counts each and logs those that an operator should know. */
export class PostgresEvents {
  readonly #logger: Logger;
  readonly #rows: Counter.Internal;
  readonly #repeatedBytes: Counter.Internal;
  readonly #conflicts: Counter.Internal;
  readonly #failures: Counter.Internal;
  readonly #expiredRows: Counter.Internal;
  readonly #droppedPartitions: Counter.Internal;
  readonly #notices: EventLimiter<Notice>;
  readonly #unreachable: EventLimiter<Unreachable>;
  #isUnreachable = false;

  constructor(context: Pick<EmitterContext, 'logger' | 'metrics' | 'name' | 'clock'>) {
    this.#logger = context.logger;
    const counter = (name: string, help: string) =>
      emitterCounter(context.metrics, context.name, {
        name: `aggregator_emitter_postgres_${name}_total`,
        help,
      });
    this.#rows = counter('rows', 'Committed rows.');
    this.#repeatedBytes = counter(
      'repeated_bytes',
      'Bytes of records skipped because they were already stored.',
    );
    this.#conflicts = counter(
      'conflicts',
      'Transactions retried immediately after a conflict such as a deadlock.',
    );
    this.#failures = counter('failures', 'Failed flushes.');
    this.#expiredRows = counter(
      'expired_rows',
      'Rows deleted by the retention, including those of dropped partitions and chunks.',
    );
    this.#droppedPartitions = counter(
      'dropped_partitions',
      'Partitions and chunks dropped by the retention.',
    );
    this.#unreachable = new EventLimiter(context.clock, LOG_INTERVAL_MS, (event) =>
      this.#logUnreachable(event),
    );
    this.#notices = new EventLimiter(context.clock, LOG_INTERVAL_MS, ({ reason, count, kind }) =>
      context.logger.warn(
        { reason, count, work: kind },
        'Maintenance of the database failed; it will be retried',
      ),
    );
  }

  stored({ rows, repeatedBytes }: FlushResult): void {
    this.#rows.inc(rows);
    this.#repeatedBytes.inc(repeatedBytes);
  }

  conflict(reason: string): void {
    this.#conflicts.inc();
    this.#logger.debug({ reason }, 'Retrying a transaction that conflicted with another one');
  }

  /** Not logged here: delivery logs the reason of each retry. */
  failed(): void {
    this.#failures.inc();
  }

  /**
   * Level WARN if the operator can enable TimescaleDB: existing tables keep their layout, so it requires new
   * ones.
   */
  schemaReady(schema: string, { layout, reason, remedy }: LayoutFinding): void {
    const how =
      layout === 'timescale'
        ? 'The tables are ready; log_records is a hypertable of TimescaleDB'
        : 'The tables are ready; log_records is partitioned by PostgreSQL';
    if (remedy === undefined) this.#logger.info({ schema, layout, reason }, how);
    else this.#logger.warn({ schema, layout, reason, remedy }, how);
  }

  /** Handles errors from before the connection was established; returns whether this is one. */
  unreachable(place: string, error: unknown): boolean {
    if (!isConnectError(error)) return false;
    this.#isUnreachable = true;
    const [reason, remedy] = [describeFailure(error), connectionRemedy(error)];
    this.#unreachable.emit({ kind: reason, place, reason, remedy });
    return true;
  }

  reached(): void {
    if (!this.#isUnreachable) return;
    this.#isUnreachable = false;
    this.#logger.info('Connected to PostgreSQL again');
  }

  #logUnreachable({ place, reason, remedy, count }: Unreachable & { readonly count: number }): void {
    // Suppressed log lines may be outdated by now.
    if (!this.#isUnreachable) return;
    this.#logger.warn(
      { reason, count, ...(remedy !== undefined && { remedy }) },
      `Cannot reach PostgreSQL at ${place}: ${reason}. Records wait in the queue`,
    );
  }

  partitionsAdded(partitions: number): void {
    this.#logger.debug({ partitions }, 'Added partitions');
  }

  partitionDropped(partition: string, rows: number): void {
    this.#droppedPartitions.inc();
    this.#expiredRows.inc(rows);
    this.#logger.info({ partition, rows }, 'Dropped a partition older than the retention');
  }

  rowsExpired(table: string, rows: number): void {
    this.#expiredRows.inc(rows);
    this.#logger.info({ table, rows }, 'Deleted rows older than the retention');
  }

  housekeepingFailed(work: string, reason: string): void {
    this.#notices.emit({ kind: work, reason });
  }

  reopenFailed(reason: string): void {
    this.#logger.error(
      { reason },
      'Cannot reload the files of the connection; the previous ones stay in use',
    );
  }

  stop(): void {
    this.#notices.flush();
    this.#unreachable.flush();
  }
}
