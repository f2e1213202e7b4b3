import { ATTRIBUTE_COLUMNS } from '../log-columns.ts';
import { columnSql } from '../property-sql.ts';
import { rfc3339Micro } from '../sql/rfc3339-micro.ts';
import { join, type Sql, sql } from '../sql/sql.ts';
import type { SqlRow } from '../sql/sql-database.ts';
import type { SqlDialect } from '../sql/sql-dialect.ts';
import { numberOf, numberOrNull, textOf, textOrNull } from '../sql/sql-row.ts';
import type { LogEntry } from './log-requests.ts';
import { severityName } from './severity-name.ts';

export function entryFromRow(row: SqlRow): LogEntry {
  const severityNumber = numberOrNull(row, 'severity_number');
  return {
    time: rfc3339Micro(numberOf(row, 'time_micro')),
    observedTime: rfc3339Micro(numberOf(row, 'observed_micro')),
    severity: severityName(severityNumber),
    severityNumber,
    severityText: textOrNull(row, 'severity_text'),
    host: textOrNull(row, 'host'),
    service: textOrNull(row, 'service'),
    source: textOrNull(row, 'source'),
    format: textOf(row, 'format'),
    body: textOf(row, 'body'),
    attributes: attributesOf(row),
    stream: textOf(row, 'stream_id'),
    position: numberOf(row, 'record_position'),
  };
}

/**
 * The columns that `entryFromRow` needs. No column is named like the column it is made from: `order by time`
 * must refer to the time.
 */
export function entryColumns(dialect: SqlDialect): Sql {
  const attributes = ATTRIBUTE_COLUMNS.map(({ column }) => columnSql(column));
  return join(
    [
      sql`${dialect.unixMicro(sql`time`)} as time_micro`,
      sql`${dialect.unixMicro(sql`observed_time`)} as observed_micro`,
      sql`severity_number, severity_text, host, service, source, format, body`,
      sql`attributes::text as attributes_json`,
      sql`replace(stream::text, '-', '') as stream_id`,
      sql`position as record_position`,
      ...attributes,
    ],
    sql`, `,
  );
}

/** All attributes together, under their OpenTelemetry names. */
function attributesOf(row: SqlRow): LogEntry['attributes'] {
  const columns = ATTRIBUTE_COLUMNS.flatMap(({ attribute, column, type }) => {
    const value = type === 'text' ? textOrNull(row, column) : numberOrNull(row, column);
    return value === null ? [] : [[attribute, value] as const];
  });
  const json = textOrNull(row, 'attributes_json');
  // A spread defines properties: a key such as __proto__ is like any other.
  return { ...Object.fromEntries(columns), ...(json === null ? {} : (JSON.parse(json) as object)) };
}
