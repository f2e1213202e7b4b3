import type { AttributeValue, LogRecord } from '../records/log-record.ts';
import type { FilterErrorCounts } from './filter-errors.ts';
import { NEEDS_RECORD } from './resource-probe.ts';

/** A record that a filter changes. Its fields are in the order of `logRecord` in `formats/record-view.ts`. */
export type DraftRecord = { -readonly [Key in keyof Omit<LogRecord, 'attributes'>]: LogRecord[Key] } & {
  attributes: Map<string, AttributeValue>;
};

/** The state of a filter while it runs over one record; the same object for all records. */
export class FilterRun {
  readonly errors: FilterErrorCounts;
  /** The record as it is now. */
  record: LogRecord = NO_RECORD;
  draft: DraftRecord | undefined;
  /** A `route` has run. */
  isRouted = false;
  /** A `route` has named the emitter of the program. */
  isRoutedHere = false;
  /** The emitters that `route` has named; only when the run is traced. */
  routes: Set<string> | undefined;
  /** For each `split` that has run, the element of this part. */
  readonly choices: { element: number; readonly count: number }[] = [];
  splits = 0;

  constructor(errors: FilterErrorCounts) {
    this.errors = errors;
  }

  /** The record is a probe: nothing is counted. */
  isProbing = false;

  begin(record: LogRecord): void {
    this.record = record;
    this.draft = undefined;
    this.isRouted = false;
    this.isRoutedHere = false;
    this.routes?.clear();
    this.splits = 0;
  }

  /** The record for a change. The first change copies it. */
  change(): DraftRecord {
    if (this.draft !== undefined) return this.draft;
    const { record } = this;
    const draft: DraftRecord = {
      timeUnixNano: record.timeUnixNano,
      severityNumber: record.severityNumber,
      severityText: record.severityText,
      body: record.body,
      attributes: new Map(record.attributes),
      observedTimeUnixNano: record.observedTimeUnixNano,
      resource: record.resource,
      format: record.format,
      stream: record.stream,
      position: record.position,
    };
    this.draft = draft;
    this.record = draft;
    return draft;
  }

  /** Before a `split`, the later parts of a record repeat the run of the first one: errors are counted once. */
  error(offset: number, reason: string, value: string): void {
    if (this.isProbing) throw NEEDS_RECORD;
    if (this.splits >= this.choices.length) this.errors.add(offset, reason, value);
  }
}

/** A record without content. */
export const NO_RECORD: LogRecord = {
  timeUnixNano: undefined,
  severityNumber: undefined,
  severityText: undefined,
  body: '',
  attributes: new Map(),
  observedTimeUnixNano: 0n,
  resource: new Map(),
  format: 'plain',
  stream: '' as LogRecord['stream'],
  position: 0,
};
