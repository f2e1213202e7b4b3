import type { Logger } from 'pino';
import type { Counter } from 'prom-client';
import { EventLimiter } from '../../transport/event-limiter.ts';
import type { EmitterContext } from '../emitter.ts';
import { emitterCounter } from '../metrics.ts';
import { connectionRemedy } from './connection-remedy.ts';
import { reasonOf } from './failure.ts';
import type { Stored } from './flush.ts';
import type { LayoutFinding } from './migrate.ts';
import { isConnectError } from './transaction.ts';

const LOG_INTERVAL_MS = 600_000;

/** `place`: without a secret. `kind`: one line for each reason. */
type Unreachable = {
  readonly kind: string;
  readonly place: string;
  readonly reason: string;
  readonly remedy: string | undefined;
};

type Notice = { readonly kind: string; readonly reason: string };

/** What happens in the PostgreSQL emitter: counted and, where a person should know, logged. */
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
    this.#rows = counter('rows', 'Rows committed.');
    this.#repeatedBytes = counter(
      'repeated_bytes',
      'Bytes of records that were stored already and were left out.',
    );
    this.#conflicts = counter(
      'conflicts',
      'Transactions that were tried again at once: deadlocks and the like.',
    );
    this.#failures = counter('failures', 'Flushes that failed.');
    this.#expiredRows = counter(
      'expired_rows',
      'Rows that were deleted by their age, those of dropped partitions and chunks included.',
    );
    this.#droppedPartitions = counter(
      'dropped_partitions',
      'Partitions and chunks that were dropped by their age.',
    );
    this.#unreachable = new EventLimiter(context.clock, LOG_INTERVAL_MS, (event) =>
      this.#logUnreachable(event),
    );
    this.#notices = new EventLimiter(context.clock, LOG_INTERVAL_MS, ({ reason, count, kind }) =>
      context.logger.warn(
        { reason, count, work: kind },
        'Housekeeping in the database failed; it is tried again',
      ),
    );
  }

  stored({ rows, repeatedBytes }: Stored): void {
    this.#rows.inc(rows);
    this.#repeatedBytes.inc(repeatedBytes);
  }

  conflict(reason: string): void {
    this.#conflicts.inc();
    this.#logger.debug({ reason }, 'A transaction met another one and is tried again');
  }

  /** Not logged: delivery does, with the reason, at each retry. */
  failed(): void {
    this.#failures.inc();
  }

  /** WARN where the operator can have TimescaleDB: tables keep their layout, so that new ones must be made. */
  schemaReady(schema: string, { layout, reason, remedy }: LayoutFinding): void {
    const how =
      layout === 'timescale'
        ? 'The tables are ready; log_records is a hypertable of TimescaleDB'
        : 'The tables are ready; log_records is partitioned by PostgreSQL';
    if (remedy === undefined) this.#logger.info({ schema, layout, reason }, how);
    else this.#logger.warn({ schema, layout, reason, remedy }, how);
  }

  /** For errors that arose before there was a connection; returns whether this is one. */
  unreachable(place: string, error: unknown): boolean {
    if (!isConnectError(error)) return false;
    this.#isUnreachable = true;
    const [reason, remedy] = [reasonOf(error), connectionRemedy(error)];
    this.#unreachable.emit({ kind: reason, place, reason, remedy });
    return true;
  }

  reached(): void {
    if (!this.#isUnreachable) return;
    this.#isUnreachable = false;
    this.#logger.info('PostgreSQL is reached again');
  }

  #logUnreachable({ place, reason, remedy, count }: Unreachable & { readonly count: number }): void {
    // What was held back may be over by now.
    if (!this.#isUnreachable) return;
    this.#logger.warn(
      { reason, count, ...(remedy !== undefined && { remedy }) },
      `Cannot reach PostgreSQL at ${place}: ${reason}. Records wait in the queue`,
    );
  }

  partitionsAdded(partitions: number): void {
    this.#logger.debug({ partitions }, 'Partitions were added');
  }

  partitionDropped(partition: string, rows: number): void {
    this.#droppedPartitions.inc();
    this.#expiredRows.inc(rows);
    this.#logger.info({ partition, rows }, 'A partition older than the retention was dropped');
  }

  rowsExpired(table: string, rows: number): void {
    this.#expiredRows.inc(rows);
    this.#logger.info({ table, rows }, 'Rows older than the retention were deleted');
  }

  housekeepingFailed(work: string, reason: string): void {
    this.#notices.emit({ kind: work, reason });
  }

  reopenFailed(reason: string): void {
    this.#logger.error(
      { reason },
      'The files of the connection cannot be read again; the old ones stay in use',
    );
  }

  stop(): void {
    this.#notices.flush();
    this.#unreachable.flush();
  }
}
