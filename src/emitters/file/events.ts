import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';

const labels = ['emitter'];

export const FILE_METRICS = metricTable('aggregator_emitter_file_', {
  rotations: counter('rotations_total', 'Output files renamed because of their size', { labels }),
  cutBytes: counter(
    'cut_bytes_total',
    'Uncommitted bytes truncated from output files; they are emitted again',
    { labels },
  ),
  interferences: counter('interferences_total', 'Output files that another program changed', { labels }),
  openFiles: gauge('open_files', 'Open output files', { labels }),
});

interface File {
  readonly path: string;
}

interface SizedFile extends File {
  readonly bytes: number;
}

interface Failure extends File {
  /** The message of the error. */
  readonly error: string;
}

/** The events of the file emitter, except writes. */
export const FILE_EVENTS = defineEvents(FILE_METRICS, (event) => ({
  opened: event({ count: ({ openFiles }) => openFiles.inc() }),
  closed: event({ count: ({ openFiles }) => openFiles.dec() }),
  rotated: event<SizedFile & { readonly to: string }>({
    info: 'Rotated an output file',
    count: ({ rotations }) => rotations.inc(),
  }),
  reopened: event<File>({ info: 'Reopened an output file that was moved' }),
  truncated: event<SizedFile>({
    info: 'Truncated uncommitted bytes; they will be emitted again',
    count: ({ cutBytes }, { bytes }) => cutBytes.inc(bytes),
  }),
  adopted: event<SizedFile>({
    warn: 'An output file contains bytes of another program; appending after them',
    count: ({ interferences }) => interferences.inc(),
  }),
  notFound: event<File>({
    warn: 'Cannot find a committed output file in its directory; its uncommitted bytes are emitted again',
    count: ({ interferences }) => interferences.inc(),
  }),
  changedByOthers: event<File & { readonly expectedBytes: number; readonly foundBytes: number }>({
    warn: 'Another program wrote to an output file or truncated it; continuing at its current end',
    count: ({ interferences }) => interferences.inc(),
  }),
  deleted: event<File>({
    warn: 'An output file was deleted while open; its unflushed records are emitted again',
    count: ({ interferences }) => interferences.inc(),
  }),
  unprotected: event<File>({
    warn: 'Another user of this machine holds the lock of an output file; a second writer would not be noticed',
    once: ({ path }) => ({ topic: path, value: '' }),
  }),
  openingFailed: event<Failure>({ warn: 'Cannot open an output file yet' }),
  markerRemovalFailed: event<Failure>({
    warn: 'Cannot remove the uncommitted marker of an output file yet',
  }),
}));

export type FileEvents = Reports<typeof FILE_EVENTS.definitions>;
