import type { Position } from '../../../../records/position.ts';
import type { StreamId } from '../../../../records/stream-id.ts';
import {
  defineEvents,
  type OpenEventsOptions,
  type Reports,
} from '../../../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../../../runtime/events/metric-table.ts';

/** Sources share their counters, with a label for each source. */
const labels = ['source'];

export const TAIL_METRICS = metricTable('collector_', {
  bytes: counter('source_bytes_total', 'Bytes read for the publisher', { labels }),
  records: counter('source_records_total', 'Records read for the publisher', { labels }),
  cut: counter('source_cut_records_total', 'Records that were longer than the limit', { labels }),
  skipped: counter('source_skipped_bytes_total', 'NUL bytes that were skipped as a hole', { labels }),
  unterminated: counter('source_unterminated_records_total', 'Records sent before their line ended', {
    labels,
  }),
  lostBytes: counter('tail_lost_bytes_total', 'Bytes that were lost before they could be read', {
    labels: ['reason'],
    alarm: 'is not 0: bytes were lost before they were read',
  }),
  generations: counter('tail_generations_total', 'Files that got a new generation or a new path', {
    labels: ['kind'],
  }),
  comparisons: counter(
    'tail_comparisons_total',
    'Comparisons of an unread file with a stream that may continue in it, or be its original',
  ),
  followed: gauge('tail_followed_files', 'Files that are followed'),
  open: gauge('tail_open_files', 'Open files'),
  scanSeconds: counter('tail_scan_seconds_total', 'Time spent on scans for files'),
});

interface OfPath {
  readonly path: string;
}

interface OfStream extends OfPath {
  readonly stream: StreamId;
}

interface AtPosition extends OfStream {
  readonly position: Position;
}

interface Loss extends AtPosition {
  readonly lostBytes: number;
}

interface Failure {
  readonly err: unknown;
}

interface Gone extends AtPosition {
  /** The compressed file or the copy that has its content. */
  readonly rotatedTo: string | undefined;
  readonly state: GoneState;
}

/** What happened to a file before the start. */
export type GoneState = 'missing' | 'replaced' | 'rewritten';

const GONE: Readonly<Record<GoneState, string>> = {
  missing: 'A file was missing at the start',
  replaced: 'A file was replaced by another one before the start',
  rewritten: 'A file was truncated or rewritten before the start',
};

interface UnreadGeneration extends OfPath {
  /** undefined: the size of the content cannot be known. */
  readonly lostBytes: number | undefined;
  /** The state of the collector when the file was written. */
  readonly written: 'stopped' | 'running';
}

function withoutState(gone: Gone): object {
  return { ...gone, state: undefined };
}

/** The events of tailed files. */
const TAIL_EVENTS = defineEvents(TAIL_METRICS, (event) => ({
  read: event<{ readonly bytes: number; readonly records: number }>({
    count: (metrics, { bytes, records }) => {
      metrics.bytes.inc(bytes);
      metrics.records.inc(records);
    },
  }),
  compared: event({ count: ({ comparisons }) => comparisons.inc() }),
  cut: event<{ readonly records: number }>({ count: ({ cut }, { records }) => cut.inc(records) }),
  skipped: event<AtPosition & { readonly skippedBytes: number }>({
    warn: 'Skipped a run of NUL bytes in a file',
    count: ({ skipped }, { skippedBytes }) => skipped.inc(skippedBytes),
  }),
  unterminated: event({ count: ({ unterminated }) => unterminated.inc() }),
  scanned: event<{ readonly followed: number; readonly open: number; readonly ms: number }>({
    count: (metrics, { followed, open, ms }) => {
      metrics.followed.set(followed);
      metrics.open.set(open);
      metrics.scanSeconds.inc(ms / 1000);
    },
  }),
  began: event<AtPosition>({
    info: 'Following a file',
    count: ({ generations }) => generations.inc(1, { kind: 'new' }),
  }),
  encodingDetected: event<OfPath & { readonly encoding: string }>({
    warn: 'A file begins with the byte order mark of UTF-16, or continues one that did, and is read as UTF-16: set "encoding" for it',
    once: ({ path }) => ({ topic: path, value: '' }),
    repeatLevel: 'debug',
  }),
  resumed: event<AtPosition>({ info: 'Resumed a file at its last position' }),
  renamed: event<OfStream & { readonly from: string }>({
    info: 'A followed file was renamed',
    count: ({ generations }) => generations.inc(1, { kind: 'renamed' }),
  }),
  replaced: event<OfStream>({
    info: 'A followed file was replaced by one with the same bytes',
    count: ({ generations }) => generations.inc(1, { kind: 'replaced' }),
  }),
  movedAway: event<OfStream>({
    info: 'A followed file was renamed to a path that no pattern matches; it is read to its end',
    count: ({ generations }) => generations.inc(1, { kind: 'moved_away' }),
  }),
  unlinked: event<OfStream>({
    info: 'A followed file was deleted; it is read to its end',
    count: ({ generations }) => generations.inc(1, { kind: 'unlinked' }),
  }),
  finished: event<AtPosition>({ info: 'Stopped following a file: all of it was read' }),
  forgotten: event<AtPosition>({ info: 'Forgot a file; a new stream reads it from its beginning' }),
  copyFound: event<OfPath & { readonly of: string }>({
    info: 'A file is not read: it is a copy of a followed file',
    count: ({ generations }) => generations.inc(1, { kind: 'copy' }),
  }),
  truncated: event<AtPosition>({
    info: 'A followed file was truncated or rewritten',
    count: ({ generations }) => generations.inc(1, { kind: 'truncated' }),
  }),
  lost: event<Loss>({
    error: 'Bytes of a file were lost before they could be read',
    count: (metrics, { lostBytes }) => metrics.lostBytes.inc(lostBytes, { reason: 'truncated' }),
  }),
  gone: event<Gone & { readonly lostBytes: number }>({
    error: ({ state }) => `${GONE[state]}: not all of its earlier bytes were read`,
    fields: withoutState,
    count: (metrics, { lostBytes }) => metrics.lostBytes.inc(lostBytes, { reason: 'gone' }),
  }),
  /** The number of bytes after the last read cannot be known. */
  goneWithUnknownSize: event<Gone>({
    warn: ({ state }) => `${GONE[state]}: bytes that were written after the last run, if any, were not read`,
    fields: withoutState,
  }),
  /** A rotated file that was compressed. It is tried again when it changes. */
  notInflated: event<{ readonly path: string; readonly reason: string }>({
    warn: 'Cannot inflate a rotated file: its unread bytes are not read',
  }),
  /** It was not complete after a minute. The size of its content cannot be known. */
  archiveUnread: event<OfPath>({
    warn: 'An archive is not read: it is damaged, incomplete or too large',
    count: ({ generations }) => generations.inc(1, { kind: 'unread' }),
  }),
  /** `home`: the path at which it was written. */
  archiveBegan: event<AtPosition & { readonly home: string }>({
    info: 'Reading an archive from its beginning',
    count: ({ generations }) => generations.inc(1, { kind: 'new' }),
  }),
  /** A generation that was renamed before a scan saw it at `home`, the path at which it was written. */
  foundMovedAway: event<OfStream & { readonly home: string }>({
    info: 'Reading a file that was created and renamed between two scans; no pattern matches its path',
    count: ({ generations }) => {
      generations.inc(1, { kind: 'new' });
      generations.inc(1, { kind: 'moved_away' });
    },
  }),
  unreadGeneration: event<UnreadGeneration>({
    warn: ({ written }) => {
      const when = written === 'stopped' ? 'while the collector was not running' : 'between two scans';
      return `A rotated file is not read: it was written ${when}, and is compressed or matches no pattern`;
    },
    fields: ({ path, lostBytes }) => ({ path, lostBytes }),
    count: (metrics, { lostBytes = 0 }) => {
      metrics.generations.inc(1, { kind: 'unread' });
      metrics.lostBytes.inc(lostBytes, { reason: 'unread_generation' });
    },
  }),
  discarded: event<Loss>({
    error:
      'Deleted files exceed their limit of disk space: discarded the unread rest of the one that was deleted first',
    count: (metrics, { lostBytes }) => metrics.lostBytes.inc(lostBytes, { reason: 'deleted_limit' }),
  }),
  diverged: event<AtPosition & { readonly replacement: StreamId }>({
    warn: 'The aggregator has other bytes under this stream: the state was cloned or rolled back, or the file is another one. Continuing at the local checkpoint as a new stream',
    count: ({ generations }) => generations.inc(1, { kind: 'diverged' }),
  }),
  /** A program that overwrites the end of its file does so with each record: one warning for each path is enough. */
  recovered: event<AtPosition & { readonly replaced: StreamId; readonly was: Position }>({
    warn: 'A file has lost bytes that were read: continuing at the last position with the same bytes, as a new stream',
    once: ({ path }) => ({ topic: path, value: '' }),
    repeatLevel: 'debug',
    count: ({ generations }) => generations.inc(1, { kind: 'recovered' }),
  }),
  unreadable: event<OfPath>({ warn: 'Cannot open a file; trying again at the next scan' }),
  compressed: event<OfPath & { readonly compression: string }>({
    warn: 'A file is not read because it is compressed: decompress it, or list it in "exclude"',
  }),
  unnameable: event<OfPath>({ error: 'A file is not read because its name is not UTF-8: rename it' }),
  checkpointsFailed: event<Failure>({ error: 'Cannot write checkpoints; trying again' }),
  unwatched: event<OfPath & Failure>({ warn: 'Cannot watch a directory for changes; it is only polled' }),
  scanFailed: event<Failure>({ error: 'Cannot scan for files; trying again' }),
}));

export interface TailEvents extends Reports<typeof TAIL_EVENTS.definitions> {
  /** The bytes that were lost in this run, for any reason. */
  readonly allLostBytes: () => number;
}

export function openTailEvents(
  options: Pick<OpenEventsOptions<typeof TAIL_METRICS.metrics>, 'logger' | 'metrics'> & {
    /** The name of the source that reads with these parts. */
    readonly source?: string;
  },
): TailEvents {
  const { source = 'tail', ...others } = options;
  const events = TAIL_EVENTS.open({ ...others, labels: { source } });
  let allLostBytes = 0;
  const added =
    <Lost extends { readonly lostBytes: number | undefined }>(report: (lost: Lost) => void) =>
    (lost: Lost) => {
      allLostBytes += lost.lostBytes ?? 0;
      report(lost);
    };
  return {
    ...events,
    lost: added(events.lost),
    gone: added(events.gone),
    unreadGeneration: added(events.unreadGeneration),
    discarded: added(events.discarded),
    allLostBytes: () => allLostBytes,
  };
}
