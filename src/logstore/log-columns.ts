import { ATTRIBUTE_COLUMNS, type AttributeColumn } from '../formats/attribute-columns.ts';

/**
 * The columns of a record in a store: one table, `log_records`, the same in DuckDB and PostgreSQL.
 *
 *     time             timestamp    the time of the record; if it has none (or one before 1970 or after 2199, which is
 *                                  kept as the attribute megacollector.time_unix_nano), the observed time
 *     observed_time    timestamp    when the collector read the record
 *     severity_number  smallint     OpenTelemetry's number, null: unknown
 *     severity_text    text         the name of the severity in the source
 *     host             text         the resource's host.name
 *     service          text         the resource's service.name
 *     source           text         the resource's log.file.path, or the sender
 *     format           text
 *     body             text
 *     attributes       json         those of the record, and those of the resource that have no column
 *     stream           uuid         \  together the identity of the record:
 *     position         bigint       /  unique in the table
 *     ...              a column for each common attribute of access logs: ATTRIBUTE_COLUMNS
 *
 * An attribute with a column is not in `attributes`, unless its value does not fit the type of the column:
 * then it is only there. If record and resource have the same attribute, the record's value is kept. The view
 * `logs` shows all attributes together.
 */
export const LOG_TABLE = 'log_records';

export { ATTRIBUTE_COLUMNS, type AttributeColumn };

/** The columns that every record may have. */
export const RECORD_COLUMNS = [
  { column: 'time', type: 'timestamptz', isRequired: true },
  { column: 'observed_time', type: 'timestamptz', isRequired: true },
  { column: 'severity_number', type: 'smallint', isRequired: false },
  { column: 'severity_text', type: 'text', isRequired: false },
  { column: 'host', type: 'text', isRequired: false },
  { column: 'service', type: 'text', isRequired: false },
  { column: 'source', type: 'text', isRequired: false },
  { column: 'format', type: 'text', isRequired: true },
  { column: 'body', type: 'text', isRequired: true },
  { column: 'attributes', type: 'json', isRequired: false },
  { column: 'stream', type: 'uuid', isRequired: true },
  { column: 'position', type: 'bigint', isRequired: true },
] as const;

/** In the order of the values in a row. */
export const LOG_COLUMNS = [...RECORD_COLUMNS, ...ATTRIBUTE_COLUMNS].map(({ column }) => column);
