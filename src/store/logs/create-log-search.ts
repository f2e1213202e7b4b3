import type { Clock } from '../../runtime/clock.ts';
import type { SqlDatabase } from '../sql/sql-database.ts';
import { countValues } from './count-values.ts';
import { drawHistogram } from './draw-histogram.ts';
import type { LogSearch } from './log-search.ts';
import { readTail } from './read-tail.ts';
import { searchLogs } from './search-logs.ts';
import { StoreReader } from './store-reader.ts';

export interface LogSearchOptions {
  readonly clock: Clock;
  /** What one request may take, whatever it asks the store. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

export function createLogSearch(
  database: SqlDatabase,
  { clock, timeoutMs = TIMEOUT_MS }: LogSearchOptions,
): LogSearch {
  const store = () => new StoreReader(database, clock, timeoutMs);
  return {
    search: (request) => searchLogs(store(), request),
    histogram: (request) => drawHistogram(store(), request),
    values: (request) => countValues(store(), request),
    tail: (request, place) => readTail(store(), request, place),
  };
}
