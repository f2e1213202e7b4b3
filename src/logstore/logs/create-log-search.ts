import type { Clock } from '../../runtime/clock.ts';
import type { SqlDatabase } from '../sql/sql-database.ts';
import { countValues } from './count-values.ts';
import { drawHistogram } from './draw-histogram.ts';
import { filteredProperties, type LogFilter, type UnknownProperty } from './log-requests.ts';
import type { LogSearch } from './log-search.ts';
import { readTail } from './read-tail.ts';
import { searchLogs } from './search-logs.ts';
import { StoreReader } from './store-reader.ts';
import { unknownProperties } from './unknown-properties.ts';

export function createLogSearch(
  database: SqlDatabase,
  { clock, timeoutMs = TIMEOUT_MS }: LogSearchOptions,
): LogSearch {
  const store = () => new StoreReader(database, clock, timeoutMs);
  return {
    search: async (request) => {
      const reader = store();
      const page = await searchLogs(reader, request);
      const isNothing = page.entries.length === 0 && request.cursor === undefined;
      return isNothing ? { ...page, ...(await unknownOf(reader, request)) } : page;
    },
    histogram: async (request) => {
      const reader = store();
      const drawn = await drawHistogram(reader, request);
      return drawn.total === 0 ? { ...drawn, ...(await unknownOf(reader, request)) } : drawn;
    },
    values: async (request) => {
      const reader = store();
      const counted = await countValues(reader, request);
      const isNothing = counted.values.every(({ value }) => value === null);
      return isNothing ? { ...counted, ...(await unknownOf(reader, request, [request.property])) } : counted;
    },
    unknown: (properties) => unknownProperties(store(), properties),
    tail: (request, place) => readTail(store(), request, place),
  };
}

export interface LogSearchOptions {
  readonly clock: Clock;
  /** The time limit of one request, for all its statements. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

/** Nothing was found: the request may name a property that no record has. */
async function unknownOf(
  reader: StoreReader,
  filter: LogFilter,
  others: readonly string[] = [],
): Promise<{ readonly unknown?: UnknownProperty[] }> {
  const unknown = await unknownProperties(reader, [...others, ...filteredProperties(filter)]);
  return unknown.length === 0 ? {} : { unknown: [...unknown] };
}
