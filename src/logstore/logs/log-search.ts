import type {
  Histogram,
  HistogramRequest,
  SearchPage,
  SearchRequest,
  TailRequest,
  UnknownProperty,
  ValueCounts,
  ValuesRequest,
} from './log-requests.ts';
import type { TailPage, TailPlace } from './tail-page.ts';

/**
 * Queries a store about logs. Requests are validated before. Rejects with a `SqlError` or a `CursorError`.
 */
export interface LogSearch {
  search(request: SearchRequest): Promise<SearchPage>;
  histogram(request: HistogramRequest): Promise<Histogram>;
  values(request: ValuesRequest): Promise<ValueCounts>;
  /** The properties among these that none of the newest records has. */
  unknown(properties: readonly string[]): Promise<readonly UnknownProperty[]>;
  /**
   * The records that were stored after `place`, oldest first; undefined: after now. Each record once, for any
   * time in it.
   */
  tail(request: TailRequest, place: TailPlace | undefined): Promise<TailPage>;
}

/** The cursor of a request is not one of ours. */
export class CursorError extends Error {
  override readonly name = 'CursorError';
}
