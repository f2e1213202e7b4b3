import type { Amount } from '../../records/amount.ts';
import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';

/** The source that the journal belongs to. */
const labels = ['source'];

/** The metrics of all journals, each with the label of its source. */
export const JOURNAL_METRICS = metricTable('collector_journal_', {
  records: counter('records_total', 'Records flushed to the journal', { labels }),
  bytes: counter('bytes_total', 'Bytes of these records', { labels }),
  lostRecords: counter('lost_records_total', 'Records dropped because the journal had no room', {
    labels,
    alarm: 'is not 0: the journal had no room, and records were dropped',
  }),
  lostBytes: counter('lost_bytes_total', 'Bytes of these records', { labels }),
  failures: counter('commit_failures_total', 'Failed attempts to flush, which are retried', { labels }),
  damagedBytes: counter('damaged_bytes_total', 'Bytes that the disk returned damaged', { labels }),
  disk: gauge('disk_bytes', 'Bytes of segment files', { labels }),
  full: gauge('full', '1 while the journal has no room', {
    labels,
    alarm: 'is 1: the source waits, or its records are dropped',
  }),
});

interface Origin {
  readonly origin: string;
}

interface Failure {
  readonly err: unknown;
}

export const JOURNAL_EVENTS = defineEvents(JOURNAL_METRICS, (event) => ({
  opened: event<{ readonly streams: number; readonly sizeBytes: number }>({
    info: 'Opened the journal',
    count: ({ disk }, { sizeBytes }) => disk.set(sizeBytes),
  }),
  recovered: event<Amount>({ info: 'Recovered records that the last process had not published' }),
  size: event<{ readonly sizeBytes: number }>({ count: ({ disk }, { sizeBytes }) => disk.set(sizeBytes) }),
  committed: event<Amount>({
    count: (metrics, { records, bytes }) => {
      metrics.records.inc(records);
      metrics.bytes.inc(bytes);
    },
  }),
  commitFailed: event<Failure>({
    error: 'Cannot flush the journal; trying again',
    count: ({ failures }) => failures.inc(),
  }),
  /** The size of a record in bytes. */
  lost: event<number>({
    count: ({ lostRecords, lostBytes }, sizeBytes) => {
      lostRecords.inc();
      lostBytes.inc(sizeBytes);
    },
  }),
  streamLosesRecords: event<Origin>({ error: 'Dropping records of this origin: the journal has no room' }),
  full: event<{ readonly reason: string }>({
    error: 'The journal has no room; its source waits or drops records',
    count: ({ full }) => full.set(1),
  }),
  roomAvailable: event({ warn: 'The journal has room again', count: ({ full }) => full.set(0) }),
  entryLost: event<Failure & { readonly sizeBytes: number }>({
    error: 'A part of the journal is damaged; skipping it',
    count: ({ damagedBytes }, { sizeBytes }) => damagedBytes.inc(sizeBytes),
  }),
  rolledBack: event<Origin>({
    warn: 'The aggregator has other bytes of this stream; unaccepted records continue in a new stream',
  }),
  segmentRemovalFailed: event<Failure & { readonly segment: number }>({
    warn: 'Cannot remove a journal segment; trying again',
  }),
}));

export type JournalEvents = Reports<typeof JOURNAL_EVENTS.definitions>;
