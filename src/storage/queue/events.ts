import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Amount } from '../../records/amount.ts';
import type { WriteHealth } from '../state/write-health.ts';
import type { CorruptQueueEntryError } from './corrupt-queue-entry-error.ts';
import type { EntryNumber } from './queue-contract.ts';

/** Values that the gauges read at each scrape. */
export interface QueueGauges {
  usedBytes(): number;
  deadLetterBytes(): number;
  stopped(): boolean;
  queued(): Iterable<readonly [emitter: string, amount: Amount]>;
}

/** Logs and counts the events of the queue, each in one function. */
export class QueueEvents {
  readonly #logger: Logger;
  readonly #metrics: Registry;
  readonly #appendedRecords: Counter;
  readonly #appendedBytes: Counter;
  readonly #repeatedBytes: Counter;
  readonly #gaps: Counter;
  readonly #groups: Counter;
  readonly #failures: Counter;
  readonly #discardedRecords: Counter<'emitter'>;
  readonly #discardedBytes: Counter<'emitter'>;
  readonly #forgottenStreams: Counter;
  readonly #health: Pick<WriteHealth, 'failed' | 'succeeded'> | undefined;

  constructor(logger: Logger, metrics: Registry, health?: Pick<WriteHealth, 'failed' | 'succeeded'>) {
    this.#health = health;
    this.#logger = logger;
    this.#metrics = metrics;
    const counter = (name: string, help: string) =>
      new Counter({ name: `aggregator_queue_${name}`, help, registers: [metrics] });
    const byEmitter = (name: string, help: string) =>
      new Counter({
        name: `aggregator_queue_${name}`,
        help,
        labelNames: ['emitter'] as const,
        registers: [metrics],
      });
    this.#appendedRecords = counter('appended_records_total', 'Records accepted.');
    this.#appendedBytes = counter('appended_bytes_total', 'Their bytes, uncompressed.');
    this.#repeatedBytes = counter(
      'repeated_bytes_total',
      'Bytes that were received again and not stored again.',
    );
    this.#gaps = counter('gaps_total', 'Batches that began after the end of their stream.');
    this.#groups = counter('commit_groups_total', 'Group commits.');
    this.#failures = counter('commit_failures_total', 'Failed group commits, of which nothing was stored.');
    this.#forgottenStreams = counter('forgotten_streams_total', 'Streams whose ranges were removed.');
    this.#discardedRecords = byEmitter('discarded_records_total', 'Records discarded, by emitter.');
    this.#discardedBytes = byEmitter('discarded_bytes_total', 'Their bytes, uncompressed.');
  }

  watch(gauges: QueueGauges): void {
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name: `aggregator_queue_${name}`,
        help,
        registers: [this.#metrics],
        collect() {
          this.set(value());
        },
      });
    gauge('bytes', 'Disk space that counts for AGGREGATOR_QUEUE_MAX_BYTES.', () => gauges.usedBytes());
    gauge('dead_letter_bytes', 'Disk space of the dead letters.', () => gauges.deadLetterBytes());
    gauge('stopped', '1 while intake is stopped.', () => (gauges.stopped() ? 1 : 0));
    const queued = new Gauge({
      name: 'aggregator_queue_queued_bytes',
      help: 'Uncompressed bytes queued for an emitter.',
      labelNames: ['emitter'] as const,
      registers: [this.#metrics],
      collect() {
        queued.reset();
        for (const [emitter, { bytes }] of gauges.queued()) queued.set({ emitter }, bytes);
      },
    });
  }

  groupCommitted(kept: Amount, repeatedBytes: number, gaps: number): void {
    this.#groups.inc();
    this.#appendedRecords.inc(kept.records);
    this.#appendedBytes.inc(kept.bytes);
    this.#repeatedBytes.inc(repeatedBytes);
    this.#gaps.inc(gaps);
    if (kept.records > 0) this.#health?.succeeded('records');
  }

  groupFailed(error: unknown, batches: number): void {
    this.#failures.inc();
    this.#health?.failed('records', error);
    this.#logger.error({ err: error, batches }, 'Cannot store record batches; none of them was stored');
  }

  stoppedChanged(reason: string | undefined): void {
    if (reason === undefined) this.#logger.info('The queue accepts records again');
    else this.#logger.warn({ reason }, 'The queue accepts no records until there is room');
  }

  garbageCut(bytes: number): void {
    this.#logger.info({ bytes }, 'Truncated uncommitted bytes of an earlier process');
  }

  damaged(path: string, entry: EntryNumber): void {
    this.#logger.error(
      { path, entry },
      'A file of the queue is missing or too short: restore it, or skip its entries (mega-collector emitters skip NAME)',
    );
  }

  corruptEntryDiscarded(emitter: string, error: CorruptQueueEntryError, lost: Amount): void {
    this.#logger.error(
      { emitter, entry: error.entry, path: error.path, stream: error.stream, ...lost },
      'Skipped a damaged entry of the queue',
    );
    this.discarded(emitter, lost);
  }

  dropped(emitter: string, amount: Amount): void {
    this.#logger.error({ emitter, ...amount }, 'The queue is full; dropped the oldest records');
    this.discarded(emitter, amount);
  }

  discarded(emitter: string, { records, bytes }: Amount): void {
    this.#discardedRecords.inc({ emitter }, records);
    this.#discardedBytes.inc({ emitter }, bytes);
  }

  emitterForgotten(emitter: string, hadRecords: boolean): void {
    if (hadRecords) this.#logger.warn({ emitter }, 'Removed an emitter with its cursor and its dead letters');
    else this.#logger.info({ emitter }, 'Removed an emitter without queued records and dead letters');
  }

  streamsForgotten(count: number): void {
    this.#forgottenStreams.inc(count);
    this.#logger.info({ streams: count }, 'Removed streams that ended or became silent long ago');
  }

  backgroundWriteFailed(error: unknown, what: string): void {
    this.#logger.warn({ err: error, what }, 'Cannot write to the state store; trying again');
  }
}
