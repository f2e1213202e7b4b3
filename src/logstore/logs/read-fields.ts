import { setImmediate } from 'node:timers/promises';
import { ATTRIBUTE_COLUMNS } from '../log-columns.ts';
import { columnSql } from '../property-sql.ts';
import { join, sql } from '../sql/sql.ts';
import type { SqlRow } from '../sql/sql-database.ts';
import { numberOf, numberOrNull, textOrNull } from '../sql/sql-row.ts';
import { NEWEST_FIRST } from './cursor.ts';
import { FieldCounts } from './field-counts.ts';
import { filterSql } from './filter-sql.ts';
import type { FieldsReport, FieldsRequest } from './log-requests.ts';
import { rangesWithText, recordsIn } from './ranges-with-text.ts';
import { severityName } from './severity-name.ts';
import type { StoreReader } from './store-reader.ts';
import { timeSpan, timeSpanSql } from './time-span.ts';

/**
 * Counts the fields of the newest matching records, and their values. The times, the positions and the bodies are
 * left out: every record has them.
 *
 * The database passes at most `SAMPLE_CHARACTERS` of attributes, however large a single record is, and they are
 * parsed in steps, so that other work of the process continues.
 */
export async function readFields(store: StoreReader, request: FieldsRequest): Promise<FieldsReport> {
  const { dialect } = store;
  const span = timeSpan(request, store.nowUnixMicro());
  const records = recordsIn(store, await rangesWithText(store, request, span));
  const filter = filterSql(dialect, request, await store.ownNames());
  const rows = await store.rows(sql`select ${join(COLUMNS, sql`, `)}, attributes_json, found
    from (
      select *, count(*) over () as found,
        sum(coalesce(length(attributes_json), 0)) over (order by ${NEWEST_FIRST} rows unbounded preceding) as total
      from (
        select ${join([...COLUMNS, ...PLACE], sql`, `)}, attributes::text as attributes_json
        from ${records} where ${timeSpanSql(dialect, span)} and ${filter}
        order by ${NEWEST_FIRST} limit ${request.sample + 1}::bigint
      ) as newest
    ) as summed
    where total <= ${SAMPLE_CHARACTERS}::bigint order by ${NEWEST_FIRST}`);
  const counts = await count(rows.slice(0, request.sample));
  const sampled = Math.min(rows.length, request.sample);
  // A row that does not fit is missing, and all after it.
  const found = rows[0] === undefined ? 0 : numberOf(rows[0], 'found');
  const isWhole = found <= request.sample && rows.length === found;
  return { fields: [...counts.list()], sampled, complete: isWhole && counts.isComplete };
}

const SAMPLE_CHARACTERS = 8 * 1024 * 1024;
/** Records that are parsed in one step. */
const STEP = 500;

const RECORD_FIELDS = [
  ['severity_text', 'severity_text'],
  ['host.name', 'host'],
  ['service.name', 'service'],
  ['source', 'source'],
  ['format', 'format'],
] as const;

const PLACE = [sql`time`, sql`stream`, sql`position`];
const COLUMNS = [
  sql`severity_number`,
  ...RECORD_FIELDS.map(([, column]) => columnSql(column)),
  ...ATTRIBUTE_COLUMNS.map(({ column }) => columnSql(column)),
];

async function count(rows: readonly SqlRow[]): Promise<FieldCounts> {
  const counts = new FieldCounts();
  for (const [at, row] of rows.entries()) {
    if (at % STEP === STEP - 1) await setImmediate();
    countRow(counts, row);
  }
  return counts;
}

function countRow(counts: FieldCounts, row: SqlRow): void {
  counts.addColumn('severity', severityName(numberOrNull(row, 'severity_number')));
  for (const [name, column] of RECORD_FIELDS) counts.addColumn(name, textOrNull(row, column));
  for (const { attribute, column, type } of ATTRIBUTE_COLUMNS)
    counts.addColumn(attribute, type === 'text' ? textOrNull(row, column) : numberOrNull(row, column));
  const json = textOrNull(row, 'attributes_json');
  if (json !== null) counts.addAttributes(JSON.parse(json) as object);
}
