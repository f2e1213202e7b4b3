import type { Clock } from '../../runtime/clock.ts';
import type { SqlDatabase } from '../sql/sql-database.ts';
import { countValues } from './count-values.ts';
import { drawHistogram } from './draw-histogram.ts';
import { filteredProperties, type LogFilter, type UnknownProperty } from './log-requests.ts';
import type { LogSearch } from './log-search.ts';
import { readContext } from './read-context.ts';
import { readFields } from './read-fields.ts';
import { readRecord } from './read-record.ts';
import { readTail } from './read-tail.ts';
import { searchLogs } from './search-logs.ts';
import { StoreReader } from './store-reader.ts';
import { unknownProperties } from './unknown-properties.ts';

export function createLogSearch(
  database: SqlDatabase,
  { clock, timeoutMs = TIMEOUT_MS }: LogSearchOptions,
): LogSearch {
  const store = (limitMs = timeoutMs) => new StoreReader(database, clock, limitMs);
  return {
    search: async (asked) => {
      const reader = store();
      const request = await reader.withGroups(asked);
      const page = await searchLogs(reader, request);
      const isNothing = page.entries.length === 0 && request.cursor === undefined;
      return isNothing ? { ...page, ...(await unknownOf(reader, request)) } : page;
    },
    histogram: async (asked) => {
      const reader = store();
      const request = await reader.withGroups(asked);
      const drawn = await drawHistogram(reader, request);
      return drawn.total === 0 ? { ...drawn, ...(await unknownOf(reader, request)) } : drawn;
    },
    values: async (asked) => {
      const reader = store();
      const request = await reader.withGroups(asked);
      const counted = await countValues(reader, request);
      const isNothing = counted.values.every(({ value }) => value === null);
      return isNothing ? { ...counted, ...(await unknownOf(reader, request, [request.property])) } : counted;
    },
    fields: async (asked) => {
      const reader = store(Math.min(timeoutMs, FIELDS_TIMEOUT_MS));
      return await readFields(reader, await reader.withGroups(asked));
    },
    record: (place) => readRecord(store(), place),
    context: async (asked) => {
      const reader = store();
      return await readContext(reader, await reader.withGroups(asked));
    },
    unknown: (properties) => unknownProperties(store(), properties),
    tail: async (request, place) => {
      const reader = store();
      return await readTail(reader, await reader.withGroups(request), place);
    },
  };
}

export interface LogSearchOptions {
  readonly clock: Clock;
  /** The time limit of one request, for all its statements. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
/** A list of fields is a help: it must not occupy the store for long. */
const FIELDS_TIMEOUT_MS = 5000;

/** Nothing was found: the request may name a property that no record has. */
async function unknownOf(
  reader: StoreReader,
  filter: LogFilter,
  others: readonly string[] = [],
): Promise<{ readonly unknown?: UnknownProperty[] }> {
  const unknown = await unknownProperties(reader, [...others, ...filteredProperties(filter)]);
  return unknown.length === 0 ? {} : { unknown: [...unknown] };
}
