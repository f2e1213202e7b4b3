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

/** Asks a store about logs. Requests are checked already. Rejects with a `SqlError`, or a `CursorError`. */
export interface LogSearch {
  search(request: SearchRequest): Promise<SearchPage>;
  histogram(request: HistogramRequest): Promise<Histogram>;
  values(request: ValuesRequest): Promise<ValueCounts>;
  /** Of these properties, those that none of the newest records has. */
  unknown(properties: readonly string[]): Promise<readonly UnknownProperty[]>;
  /** What was stored after `place`, oldest first; undefined: after now. Each record once, whatever its time. */
  tail(request: TailRequest, place: TailPlace | undefined): Promise<TailPage>;
}

/** The cursor of a request is none that we gave. */
export class CursorError extends Error {
  override readonly name = 'CursorError';
}
