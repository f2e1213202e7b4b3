import { IMPOSSIBLE_TIME } from '../formats/marker-attributes.ts';
import {
  type AttributeValues,
  COLUMN_INDEX,
  clamped,
  fits,
  holdsNul,
  isOriginColumn,
  MAX_UNIX_MICRO,
  possibleTime,
  type RowOrigin,
  rowOrigin,
  storable,
} from '../formats/record-columns.ts';
import type { AttributeValue, LogRecord } from '../records/log-record.ts';
import { HOST_NAME, ownText, SERVICE_NAME } from '../records/record-origin.ts';
import { ATTRIBUTE_COLUMNS } from './log-columns.ts';

export { holdsNul, isOriginColumn, MAX_UNIX_MICRO, type RowOrigin, rowOrigin, storable };

/** A record as a row, which every back end writes in its own encoding. See `log-columns.ts`. */
export interface LogRow {
  readonly timeUnixMicro: number;
  readonly observedTimeUnixMicro: number;
  readonly severityNumber: number | null;
  readonly severityText: string | null;
  readonly host: string | null;
  readonly service: string | null;
  readonly source: string | null;
  readonly format: string;
  readonly body: string;
  /** JSON text of an object; null if it is empty. */
  readonly attributes: string | null;
  readonly stream: string;
  readonly position: number;
  /** In the order of ATTRIBUTE_COLUMNS. */
  readonly columns: AttributeValues;
}

/**
 * Stored text cannot contain U+0000 (PostgreSQL): it is replaced by U+FFFD, and this attribute marks the row.
 */
export const NUL_REPLACED = 'megacollector.nul_replaced';

/** Values of the record override values of its resource. */
export function logRow(record: LogRecord, origin: RowOrigin): LogRow {
  const observedTimeUnixMicro = clamped(Number(record.observedTimeUnixNano / 1000n));
  const timeUnixMicro = possibleTime(record.timeUnixNano);
  const columns = [...origin.columns];
  const rest: Record<string, AttributeValue> = Object.create(null) as Record<string, AttributeValue>;
  const ownHost = ownText(record, HOST_NAME);
  const ownService = ownText(record, SERVICE_NAME);
  let isEmpty = true;
  let hasNul =
    origin.hasNul ||
    holdsNul(ownHost) ||
    holdsNul(ownService) ||
    holdsNul(record.body) ||
    holdsNul(record.severityText) ||
    holdsNul(record.format);
  const keep = (key: string, value: AttributeValue) => {
    rest[key] = value;
    isEmpty = false;
  };
  for (const [key, value] of origin.attributes) if (!record.attributes.has(key)) keep(key, value);
  if (record.timeUnixNano !== undefined && timeUnixMicro === undefined)
    keep(IMPOSSIBLE_TIME, String(record.timeUnixNano));
  for (const [key, value] of record.attributes) {
    if (isOriginColumn(key, value)) continue;
    const index = COLUMN_INDEX.get(key);
    const column = index === undefined ? undefined : ATTRIBUTE_COLUMNS[index];
    if (index !== undefined && column !== undefined && fits(column, value)) {
      columns[index] = typeof value === 'string' ? storable(value) : (value as number);
      hasNul ||= typeof value === 'string' && holdsNul(value);
    } else {
      if (index !== undefined) columns[index] = null;
      keep(key, value);
    }
  }
  let attributes = isEmpty ? null : JSON.stringify(rest);
  if (attributes?.includes('\\u0000') && NUL_ESCAPE.test(attributes)) {
    attributes = JSON.stringify(storableValue(rest));
    hasNul = true;
  } else if (attributes !== null && SURROGATE_ESCAPE.test(attributes)) {
    attributes = JSON.stringify(storableValue(rest));
  }
  if (hasNul) attributes = withMark(attributes);
  return {
    timeUnixMicro: timeUnixMicro ?? observedTimeUnixMicro,
    observedTimeUnixMicro,
    severityNumber: record.severityNumber ? record.severityNumber : null,
    severityText: record.severityText === undefined ? null : storable(record.severityText),
    host: ownHost === undefined ? origin.host : storable(ownHost),
    service: ownService === undefined ? origin.service : storable(ownService),
    source: origin.source,
    format: storable(record.format),
    body: storable(record.body),
    attributes,
    stream: record.stream,
    position: record.position,
    columns,
  };
}

/** Matches the escape of U+0000, not a backslash before `u0000`. */
const NUL_ESCAPE = /(?<!\\)(?:\\\\)*\\u0000/;
/**
 * Databases do not accept a lone surrogate; `JSON.stringify` escapes it, and neither database reads that
 * escape.
 */
const SURROGATE_ESCAPE = /\\ud[89a-f][0-9a-f]{2}/;

function storableValue(value: AttributeValue): AttributeValue {
  if (typeof value === 'string') return storable(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return (value as readonly AttributeValue[]).map(storableValue);
  const copy = Object.create(null) as Record<string, AttributeValue>;
  for (const [key, each] of Object.entries(value)) copy[storable(key)] = storableValue(each);
  return copy;
}

function withMark(attributes: string | null): string {
  const mark = `"${NUL_REPLACED}":true`;
  return attributes === null || attributes === '{}' ? `{${mark}}` : `${attributes.slice(0, -1)},${mark}}`;
}
