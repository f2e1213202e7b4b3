import { IMPOSSIBLE_TIME, TIME_SOURCE } from '../formats/marker-attributes.ts';
import { POSTGRES_IDENTITY } from '../formats/postgres/resource-attributes.ts';
import type { AttributeValue, LogRecord } from '../records/log-record.ts';
import { HOST_NAME, ownText, SERVICE_NAME } from '../records/record-origin.ts';
import type { Resource } from '../records/resource.ts';
import { ATTRIBUTE_COLUMNS, type AttributeColumn } from './log-columns.ts';

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

type AttributeValues = readonly (string | number | null)[];

/** The part that all rows of a batch share; created once for the batch. */
export interface RowOrigin {
  readonly host: string | null;
  readonly service: string | null;
  readonly source: string | null;
  /** Attributes of the resource, in the order of ATTRIBUTE_COLUMNS, for records without their own value. */
  readonly columns: AttributeValues;
  /** Attributes of the resource that have no column. */
  readonly attributes: ReadonlyMap<string, string>;
  /** A value with a column contained U+0000. */
  readonly hasNul: boolean;
}

/**
 * Stored text cannot contain U+0000 (PostgreSQL): it is replaced by U+FFFD, and this attribute marks the row.
 */
export const NUL_REPLACED = 'megacollector.nul_replaced';

/** The first of these attributes that exists is the source of a record. */
const SOURCES = ['log.file.path', POSTGRES_IDENTITY, 'client.address'];
/** The end of 2199. A time outside of 1970 to 2199 is a mistake, and would create a partition of its own. */
export const MAX_UNIX_MICRO = Date.UTC(2200, 0, 1) * 1000;

export function rowOrigin(resource: Resource): RowOrigin {
  const attributes = new Map(resource);
  attributes.delete(TIME_SOURCE);
  let hasNul = false;
  const take = (key: string) => {
    const value = attributes.get(key);
    attributes.delete(key);
    if (value === undefined) return null;
    hasNul ||= holdsNul(value);
    return storable(value);
  };
  const source = SOURCES.find((key) => attributes.has(key));
  const taken = {
    host: take(HOST_NAME),
    service: take(SERVICE_NAME),
    source: source === undefined ? null : take(source),
    columns: ATTRIBUTE_COLUMNS.map(({ attribute, type }) => (type === 'text' ? take(attribute) : null)),
  };
  return { ...taken, attributes, hasNul };
}

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

/** Whether a value of a record is in the column `host` or `service`, and not in `attributes`. */
export function isOriginColumn(key: string, value: AttributeValue): boolean {
  return (key === HOST_NAME || key === SERVICE_NAME) && typeof value === 'string' && value !== '';
}

const COLUMN_INDEX: ReadonlyMap<string, number> = new Map(
  ATTRIBUTE_COLUMNS.map(({ attribute }, index) => [attribute, index]),
);

function fits({ type }: AttributeColumn, value: AttributeValue): boolean {
  if (type === 'text') return typeof value === 'string';
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return false;
  return type === 'bigint' || (value >= -32_768 && value <= 32_767);
}

function possibleTime(unixNano: bigint | undefined): number | undefined {
  if (unixNano === undefined || unixNano < 0n) return undefined;
  const unixMicro = Number(unixNano / 1000n);
  return unixMicro < MAX_UNIX_MICRO ? unixMicro : undefined;
}

function clamped(unixMicro: number): number {
  return Math.min(Math.max(0, unixMicro), MAX_UNIX_MICRO - 1);
}

/** Matches the escape of U+0000, not a backslash before `u0000`. */
const NUL_ESCAPE = /(?<!\\)(?:\\\\)*\\u0000/;
/**
 * Databases do not accept a lone surrogate; `JSON.stringify` escapes it, and neither database reads that
 * escape.
 */
const SURROGATE_ESCAPE = /\\ud[89a-f][0-9a-f]{2}/;

export function holdsNul(text: string | undefined): boolean {
  return text?.includes('\0') ?? false;
}

/**
 * Converts a text to the form in a store: without U+0000 and lone surrogates. Search texts are converted,
 * too.
 */
export function storable(text: string): string {
  const stored = text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
  return stored.isWellFormed() ? stored : stored.toWellFormed();
}

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
