import type {
  ContextRequest,
  FieldsReport,
  FieldsRequest,
  Histogram,
  HistogramRequest,
  LogContext,
  LogEntry,
  RecordPlace,
  SearchPage,
  SearchRequest,
  TailRequest,
  UnknownProperty,
  ValueCounts,
  ValuesRequest,
} from './log-requests.ts';
import type { TailPage, TailPlace } from './tail-page.ts';

/**
 * Queries a store about logs. Requests are validated before. Rejects with a `SqlError`, a `CursorError` or a
 * `FilterError`.
 */
export interface LogSearch {
  search(request: SearchRequest): Promise<SearchPage>;
  histogram(request: HistogramRequest): Promise<Histogram>;
  values(request: ValuesRequest): Promise<ValueCounts>;
  /** The fields of the newest matching records, and their most frequent values. */
  fields(request: FieldsRequest): Promise<FieldsReport>;
  /** undefined: the store has no such record. */
  record(place: RecordPlace): Promise<LogEntry | undefined>;
  /** The neighbours of a record in its stream, by position. */
  context(request: ContextRequest): Promise<LogContext>;
  /** The properties among these that none of the newest records has. */
  unknown(properties: readonly string[]): Promise<readonly UnknownProperty[]>;
  /**
   * The records that were stored after `place`, oldest first; undefined: after now. Each record once, for any
   * time in it.
   */
  tail(request: TailRequest, place: TailPlace | undefined): Promise<TailPage>;
}

/** An expression of the request names a log group that does not exist, or is too long with its groups. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  /** The place in the request: `where[0].expression`. */
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** The cursor of a request is not one of ours. */
export class CursorError extends Error {
  override readonly name = 'CursorError';
}
