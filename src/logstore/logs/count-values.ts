import { parseProperty } from '../../expressions/property.ts';
import { propertyText } from '../property-sql.ts';
import { sql } from '../sql/sql.ts';
import { numberOf, textOrNull } from '../sql/sql-row.ts';
import { filterSql } from './filter-sql.ts';
import { MAX_TEXT, type ValueCounts, type ValuesRequest } from './log-requests.ts';
import { rangesWithText, recordsIn } from './ranges-with-text.ts';
import type { StoreReader } from './store-reader.ts';
import { closedTimeSpan, timeSpanSql } from './time-span.ts';

/** Counts the values of a property, the most frequent first. A long value is cut. */
export async function countValues(store: StoreReader, request: ValuesRequest): Promise<ValueCounts> {
  const { dialect } = store;
  const span = closedTimeSpan(request, store.nowUnixMicro());
  const names = await store.ownNames();
  const text = propertyText(dialect, parseProperty(request.property), names);
  const records = recordsIn(store, await rangesWithText(store, request, span));
  // Equal counts are sorted by the bytes of the text, so that every back end returns the same values.
  const rows = await store.rows(sql`select left(value, ${MAX_TEXT}::int) as value, records
    from (
      select ${text} as value, count(*) as records from ${records}
      where ${timeSpanSql(dialect, span)} and ${filterSql(dialect, request, names)}
      group by 1
    ) as counted
    order by records desc, counted.value collate "C" nulls last
    limit ${request.limit}::bigint`);
  return {
    values: rows.map((row) => ({ value: textOrNull(row, 'value'), count: numberOf(row, 'records') })),
  };
}
