/**
 * How a record lies in a store: one table, `log_records`, the same in DuckDB and PostgreSQL.
 *
 *     time             timestamp    by the record's own word; where it has none (or one before 1970 or after 2199, which is kept
 *                                  as the attribute megacollector.time_unix_nano), when it was observed
 *     observed_time    timestamp    when the collector read it
 *     severity_number  smallint     OpenTelemetry's, null: unknown
 *     severity_text    text         as the source calls it
 *     host             text         the resource's host.name
 *     service          text         the resource's service.name
 *     source           text         the resource's log.file.path, or whoever sent it
 *     format           text
 *     body             text
 *     attributes       json         the record's, and those of the resource that have no column
 *     stream           uuid         \  together the record's identity:
 *     position         bigint       /  no two rows have the same
 *     ...              a column for each attribute that access logs are asked for: ATTRIBUTE_COLUMNS
 *
 * An attribute with a column is not in `attributes`, unless its value is not of the column's type: then it is only there.
 * Where record and resource say the same attribute, the record's value is kept.
 * The view `logs` shows all attributes together.
 */
export const LOG_TABLE = 'log_records';

export interface AttributeColumn {
  /** OpenTelemetry's name. */
  readonly attribute: string;
  readonly column: string;
  readonly type: 'text' | 'smallint' | 'bigint';
}

export const ATTRIBUTE_COLUMNS = [
  { attribute: 'client.address', column: 'client_address', type: 'text' },
  { attribute: 'user.name', column: 'user_name', type: 'text' },
  { attribute: 'http.request.method', column: 'http_request_method', type: 'text' },
  { attribute: 'url.path', column: 'url_path', type: 'text' },
  { attribute: 'network.protocol.version', column: 'network_protocol_version', type: 'text' },
  { attribute: 'http.response.status_code', column: 'http_response_status_code', type: 'smallint' },
  { attribute: 'http.response.body.size', column: 'http_response_body_size', type: 'bigint' },
] as const satisfies readonly AttributeColumn[];

/** The others, which every record may have. */
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

/** In the order in which rows are written. */
export const LOG_COLUMNS = [...RECORD_COLUMNS, ...ATTRIBUTE_COLUMNS].map(({ column }) => column);
