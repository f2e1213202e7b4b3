import { forEachLogRecord } from '../../src/formats/record-view.ts';
import { ATTRIBUTE_COLUMNS } from '../../src/logstore/log-columns.ts';
import { type LogRow, logRow, rowOrigin } from '../../src/logstore/log-row.ts';
import type { LogFilter } from '../../src/logstore/logs/log-requests.ts';
import type { AttributeValue } from '../../src/records/log-record.ts';
import type { RecordBatch } from '../../src/records/record-batch.ts';

/**
 * A model for comparison with a store: the rows of batches in memory, filtered and ordered in the simplest
 * way.
 */
export function rowsOf(batches: readonly RecordBatch[]): LogRow[] {
  const rows: LogRow[] = [];
  for (const batch of batches) {
    const origin = rowOrigin(batch.resource);
    forEachLogRecord(batch, (record) => void rows.push(logRow(record, origin)));
  }
  return rows;
}

export function newestFirst(rows: readonly LogRow[]): LogRow[] {
  const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);
  return [...rows].sort(
    (a, b) =>
      compare(b.timeUnixMicro, a.timeUnixMicro) ||
      compare(a.stream, b.stream) ||
      compare(b.position, a.position),
  );
}

const LOWEST = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 };

export function matches(row: LogRow, filter: LogFilter): boolean {
  const { text, severity, host, service, where = [] } = filter;
  if (text !== undefined && !lower(row.body).includes(lower(stored(text)))) return false;
  if (severity !== undefined && (row.severityNumber ?? 0) < LOWEST[severity]) return false;
  if (host !== undefined && !has(row, 'host.name', host)) return false;
  if (service !== undefined && !has(row, 'service.name', service)) return false;
  return where.every((each) => 'property' in each && has(row, each.property, each.value));
}

const NUMBER_COLUMNS = [
  'severity_number',
  'position',
  'http.response.status_code',
  'http.response.body.size',
];

function has(row: LogRow, property: string, value: string): boolean {
  const found = columnOf(row, property);
  if (NUMBER_COLUMNS.includes(property)) {
    const isNumber = found !== null && /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(value);
    if (isNumber && Number(found) === Number(value)) return true;
  } else if (found === stored(value)) {
    return true;
  }
  if (property.startsWith('section(')) return propertyOf(row, property) === stored(value);
  return brought(row, property).some((each) => shown(each) === stored(value));
}

/** As text; null: not there. Knows no short names and no numbers that can be written in two ways. */
export function propertyOf(row: LogRow, property: string): string | null {
  const section = /^section\((.*)\)$/.exec(property);
  if (section !== null) {
    const text = propertyOf(row, section[1] ?? '');
    return text === null ? null : (text.split('/')[1] ?? '');
  }
  const own = brought(row, property).find((value) => value !== null && typeof value !== 'object');
  return columnOf(row, property) ?? (own === undefined ? null : String(own));
}

function columnOf(row: LogRow, property: string): string | null {
  const fields: Record<string, string | null> = {
    'host.name': row.host,
    'service.name': row.service,
    source: row.source,
    format: row.format,
    body: row.body,
    stream: row.stream,
    position: String(row.position),
    severity_text: row.severityText,
    severity_number: row.severityNumber === null ? null : String(row.severityNumber),
  };
  if (Object.hasOwn(fields, property)) return fields[property] ?? null;
  const index = ATTRIBUTE_COLUMNS.findIndex(({ attribute }) => attribute === property);
  const value = row.columns[index] ?? null;
  return value === null ? null : String(value);
}

/** What the attributes hold under this name, each dot of it being a part of a key or between two. */
function brought(row: LogRow, name: string): readonly AttributeValue[] {
  return under(JSON.parse(row.attributes ?? '{}') as AttributeValue, name);
}

function under(value: AttributeValue, name: string): readonly AttributeValue[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const object = value as Readonly<Record<string, AttributeValue>>;
  const at = (key: string) => (Object.hasOwn(object, key) ? [object[key] as AttributeValue] : []);
  const dots = [...name.matchAll(/\./g)].map(({ index }) => index);
  const nested = dots.flatMap((dot) =>
    at(name.slice(0, dot)).flatMap((each) => under(each, name.slice(dot + 1))),
  );
  return [...at(name), ...nested];
}

/** As a client sees it. */
function shown(value: AttributeValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function stored(text: string): string {
  return text.replaceAll('\0', '\ufffd').replaceAll(/\p{Surrogate}/gu, '\ufffd');
}

/** Of A to Z: of other letters every database has its own opinion. */
function lower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
