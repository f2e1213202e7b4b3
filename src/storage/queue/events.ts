import type { Amount } from '../../records/amount.ts';
import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';
import type { OpenMetrics } from '../../runtime/events/open-metrics.ts';
import type { EntryNumber } from './queue-contract.ts';

export const QUEUE_METRICS = metricTable('aggregator_queue_', {
  appendedRecords: counter('appended_records_total', 'Records accepted'),
  appendedBytes: counter('appended_bytes_total', 'Their bytes, uncompressed'),
  repeatedBytes: counter('repeated_bytes_total', 'Bytes that were received again and not stored again'),
  gaps: counter('gaps_total', 'Batches that began after the end of their stream'),
  groups: counter('commit_groups_total', 'Group commits'),
  failures: counter('commit_failures_total', 'Failed group commits, of which nothing was stored', {
    alarm: 'rises: writes to the disk fail',
  }),
  forgottenStreams: counter('forgotten_streams_total', 'Streams whose ranges were removed'),
  discardedRecords: counter('discarded_records_total', 'Records discarded, by emitter', {
    labels: ['emitter'],
    alarm: 'is not 0: records were discarded',
  }),
  discardedBytes: counter('discarded_bytes_total', 'Their bytes, uncompressed', { labels: ['emitter'] }),
});

/** Read at each scrape. */
export const QUEUE_GAUGES = metricTable('aggregator_queue_', {
  used: gauge('bytes', 'Disk space that counts for AGGREGATOR_QUEUE_MAX_BYTES', {
    alarm: 'rises: a destination is slower than its input. `aggregator_queue_queued_bytes` shows which one',
  }),
  deadLetters: gauge('dead_letter_bytes', 'Disk space of the dead letters', {
    alarm: 'rises: records become dead letters',
  }),
  stopped: gauge('stopped', '1 while intake is stopped'),
  queued: gauge('queued_bytes', 'Uncompressed bytes queued for an emitter', { labels: ['emitter'] }),
});

interface OfEmitter {
  readonly emitter: string;
}

interface Group extends Amount {
  readonly repeatedBytes: number;
  readonly gaps: number;
}

interface DamagedFile {
  readonly path: string;
  readonly entry: EntryNumber;
}

export const QUEUE_EVENTS = defineEvents(QUEUE_METRICS, (event) => ({
  groupCommitted: event<Group>({
    count: (metrics, { records, bytes, repeatedBytes, gaps }) => {
      metrics.groups.inc();
      metrics.appendedRecords.inc(records);
      metrics.appendedBytes.inc(bytes);
      metrics.repeatedBytes.inc(repeatedBytes);
      metrics.gaps.inc(gaps);
    },
  }),
  groupFailed: event<{ readonly err: unknown; readonly batches: number }>({
    error: 'Cannot store record batches; none of them was stored',
    count: ({ failures }) => failures.inc(),
  }),
  stopped: event<{ readonly reason: string }>({
    warn: 'The queue accepts no records until there is room',
  }),
  resumed: event({ info: 'The queue accepts records again' }),
  garbageCut: event<{ readonly bytes: number }>({
    info: 'Truncated uncommitted bytes of an earlier process',
  }),
  damaged: event<DamagedFile>({
    error:
      'A file of the queue is missing or too short: restore it, or skip its entries (mega-collector emitters skip NAME)',
  }),
  corruptEntryDiscarded: event<OfEmitter & DamagedFile & Amount & { readonly stream: string }>({
    error: 'Skipped a damaged entry of the queue',
    count: countDiscarded,
  }),
  dropped: event<OfEmitter & Amount>({
    error: 'The queue is full; dropped the oldest records',
    count: countDiscarded,
  }),
  discarded: event<OfEmitter & Amount>({ count: countDiscarded }),
  emitterForgotten: event<OfEmitter>({ info: 'Removed an emitter without queued records and dead letters' }),
  emitterWithRecordsForgotten: event<OfEmitter>({
    warn: 'Removed an emitter with its cursor and its dead letters',
  }),
  streamsForgotten: event<{ readonly streams: number }>({
    info: 'Removed streams that ended or became silent long ago',
    count: ({ forgottenStreams }, { streams }) => forgottenStreams.inc(streams),
  }),
  backgroundWriteFailed: event<{ readonly err: unknown; readonly what: string }>({
    warn: 'Cannot write to the state store; trying again',
  }),
}));

export type QueueEvents = Reports<typeof QUEUE_EVENTS.definitions>;

function countDiscarded(
  { discardedRecords, discardedBytes }: OpenMetrics<typeof QUEUE_METRICS.metrics>,
  { emitter, records, bytes }: OfEmitter & Amount,
): void {
  discardedRecords.inc(records, { emitter });
  discardedBytes.inc(bytes, { emitter });
}
