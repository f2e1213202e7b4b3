import type { Position } from '../../../records/position.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import { defineEvents, type Reports } from '../../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../../runtime/events/metric-table.ts';

export const HARVEST_METRICS = metricTable('collector_harvest_', {
  begun: counter('begun_files_total', 'Complete uploads that were begun or resumed'),
  accepted: counter('accepted_files_total', 'Uploads of which the aggregator has accepted all bytes'),
  repeated: counter(
    'repeated_files_total',
    'Uploads with the same bytes as an earlier one, which are not read',
  ),
  settled: counter('settled_files_total', 'Accepted uploads that were deleted, moved or kept', {
    labels: ['action'],
  }),
  failures: counter('settle_failures_total', 'Failed attempts to delete or move a file', {
    alarm: 'grows: files stay in an upload directory',
  }),
  rejected: counter('rejected_files_total', 'Uploads that cannot be read or were rejected', {
    labels: ['reason'],
    alarm: 'grows: uploads are not read',
  }),
  incomplete: gauge('incomplete_files', 'Uploads that are not complete yet'),
  reading: gauge('reading_files', 'Uploads that are being read'),
});

interface OfPath {
  readonly path: string;
}

interface AtPosition extends OfPath {
  readonly stream: StreamId;
  readonly position: Position;
}

interface Moved extends OfPath {
  readonly to: string;
}

interface Failure {
  readonly err: unknown;
}

export type RejectedReason = 'unreadable' | 'compressed' | 'refused';

/** One warning for each version of a file is enough. */
const oncePerVersion = {
  once: ({ path, version }: OfPath & { readonly version: string }) => ({ topic: path, value: version }),
  fields: ({ version: _version, ...others }: OfPath & { readonly version: string }) => others,
};

/** The events of upload directories. */
const HARVEST_EVENTS = defineEvents(HARVEST_METRICS, (event) => ({
  began: event<AtPosition>({ info: 'Reading an uploaded file', count: ({ begun }) => begun.inc() }),
  accepted: event<AtPosition>({
    info: 'All of an uploaded file is accepted',
    count: ({ accepted }) => accepted.inc(),
  }),
  repeated: event<OfPath & { readonly of: string }>({
    info: 'An uploaded file is not read: an earlier upload had the same bytes',
    count: ({ repeated }) => repeated.inc(),
  }),
  deleted: event<OfPath>({
    info: 'Deleted an uploaded file',
    count: ({ settled }) => settled.inc(1, { action: 'delete' }),
  }),
  moved: event<Moved>({
    info: 'Moved an uploaded file',
    count: ({ settled }) => settled.inc(1, { action: 'move' }),
  }),
  kept: event<OfPath>({ count: ({ settled }) => settled.inc(1, { action: 'keep' }) }),
  settleFailed: event<OfPath & Failure>({
    error: 'Cannot delete or move an uploaded file; trying again',
    once: ({ path, err }) => ({ topic: path, value: err instanceof Error ? err.message : '' }),
    count: ({ failures }) => failures.inc(),
  }),
  rejected: event<
    OfPath & { readonly version: string; readonly reason: RejectedReason; readonly detail: string }
  >({
    warn: ({ detail }) => `An uploaded file is not read: ${detail}`,
    ...oncePerVersion,
    count: ({ rejected }, { reason }) => rejected.inc(1, { reason }),
  }),
  movedAside: event<Moved>({ warn: 'Moved an uploaded file to the error directory' }),
  diverged: event<AtPosition & { readonly replacement: StreamId }>({
    warn: 'The aggregator has other bytes under this stream: the state was cloned or rolled back. Continuing at the local checkpoint as a new stream',
  }),
  unlisted: event<OfPath & Failure>({
    warn: 'Cannot list an upload directory; trying again',
    once: ({ path, err }) => ({ topic: path, value: err instanceof Error ? err.message : '' }),
  }),
  unnameable: event<OfPath>({
    error: 'An uploaded file is not read because its name is not UTF-8: rename it',
    once: ({ path }) => ({ topic: path, value: '' }),
  }),
  unwatched: event<OfPath & Failure>({ warn: 'Cannot watch a directory for changes; it is only polled' }),
  scanFailed: event<Failure>({ error: 'Cannot scan upload directories; trying again' }),
  checkpointsFailed: event<Failure>({ error: 'Cannot write checkpoints; trying again' }),
  scanned: event<{ readonly incomplete: number; readonly reading: number }>({
    count: (metrics, { incomplete, reading }) => {
      metrics.incomplete.set(incomplete);
      metrics.reading.set(reading);
    },
  }),
}));

export type HarvestEvents = Reports<typeof HARVEST_EVENTS.definitions>;

export const openHarvestEvents = HARVEST_EVENTS.open.bind(HARVEST_EVENTS);
