import type { Logger } from 'pino';
import type { Counter } from 'prom-client';
import { EventLimiter } from '../../transport/event-limiter.ts';
import type { EmitterContext } from '../emitter.ts';
import { emitterCounter } from '../metrics.ts';
import type { Stored } from './flush.ts';

const LOG_INTERVAL_MS = 600_000;

type Notice = { readonly kind: string; readonly reason: string };

/** What happens in the PostgreSQL emitter: counted and, where a person should know, logged. */
export class PostgresEvents {
  readonly #logger: Logger;
  readonly #rows: Counter.Internal;
  readonly #repeatedBytes: Counter.Internal;
  readonly #conflicts: Counter.Internal;
  readonly #failures: Counter.Internal;
  readonly #expiredRows: Counter.Internal;
  readonly #notices: EventLimiter<Notice>;

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
      'Rows outside of day partitions that were deleted by their age.',
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

  schemaReady(schema: string, layout: string): void {
    this.#logger.info({ schema, layout }, 'The tables in the database are ready');
  }

  partitionsAdded(partitions: number): void {
    this.#logger.debug({ partitions }, 'Partitions were added');
  }

  partitionDropped(partition: string): void {
    this.#logger.info({ partition }, 'A partition older than the retention was dropped');
  }

  rowsExpired(rows: number): void {
    this.#expiredRows.inc(rows);
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
  }
}
