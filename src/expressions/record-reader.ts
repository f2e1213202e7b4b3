import { ACCESS_LOG_ALIASES } from '../formats/access-log-aliases.ts';
import { ATTRIBUTE_COLUMNS } from '../formats/attribute-columns.ts';
import { IMPOSSIBLE_TIME } from '../formats/marker-attributes.ts';
import {
  COLUMN_INDEX,
  clamped,
  fits,
  isOriginColumn,
  possibleTime,
  type RowOrigin,
  rowOrigin,
} from '../formats/record-columns.ts';
import type { AttributeValue, LogRecord, ParsedRecord } from '../records/log-record.ts';
import { HOST_NAME, ownText, SERVICE_NAME } from '../records/record-origin.ts';
import type { Resource } from '../records/resource.ts';
import { attributePaths } from './attribute-paths.ts';
import type { Property } from './property.ts';

/** What a record belongs to. Stream and position are absent before a record has a place. */
export type RecordOrigin = Pick<LogRecord, 'resource' | 'observedTimeUnixNano'> &
  Partial<Pick<LogRecord, 'format' | 'stream' | 'position'>>;

type ColumnProperty = Extract<Property, { kind: 'column' }>;
type ReadColumn = (record: ParsedRecord, origin: RecordOrigin) => string | number | undefined;

/** Reads the value that a store has in a column; a time in microseconds. */
export function columnReader({ column, name }: ColumnProperty): ReadColumn {
  switch (column) {
    case 'time':
      return (record, { observedTimeUnixNano }) =>
        possibleTime(record.timeUnixNano) ?? observedMicro(observedTimeUnixNano);
    case 'observed_time':
      return (_, { observedTimeUnixNano }) => observedMicro(observedTimeUnixNano);
    case 'severity_number':
      return ({ severityNumber }) => (severityNumber ? severityNumber : undefined);
    case 'severity_text':
      return ({ severityText }) => severityText;
    case 'host':
      return (record, { resource }) => ownText(record, HOST_NAME) ?? viewOf(resource).host ?? undefined;
    case 'service':
      return (record, { resource }) => ownText(record, SERVICE_NAME) ?? viewOf(resource).service ?? undefined;
    case 'source':
      return (_, { resource }) => viewOf(resource).source ?? undefined;
    case 'format':
      return (_, { format }) => format;
    case 'body':
      return ({ body }) => body;
    case 'stream':
      return (_, { stream }) => stream;
    case 'position':
      return (_, { position }) => position;
    case 'client_address':
    case 'user_name':
    case 'http_request_method':
    case 'url_path':
    case 'network_protocol_version':
    case 'http_response_status_code':
    case 'http_response_body_size':
      return attributeColumnReader(column, prefixOf(name));
  }
}

function attributeColumnReader(column: string, prefix: string | undefined): ReadColumn {
  const index = ATTRIBUTE_COLUMNS.findIndex((each) => each.column === column);
  const found = ATTRIBUTE_COLUMNS[index];
  if (found === undefined) return () => undefined;
  const { attribute } = found;
  return ({ attributes }, { resource }) => {
    const own = attributes.get(attribute);
    const value =
      own === undefined
        ? viewOf(resource).columns[index]
        : fits(found, own)
          ? (own as string | number)
          : undefined;
    if (prefix === undefined || typeof value !== 'string') return value ?? undefined;
    return prefix + value;
  };
}

/** Prefix of the values of a short name: `HTTP/` of request_proto. */
export function prefixOf(name: string): string | undefined {
  return ACCESS_LOG_ALIASES.find(({ alias }) => alias === name)?.prefix;
}

/**
 * Whether any value in `attributes` at a path of the property passes a test. The record's own attributes win
 * over those of its resource.
 */
export function attributeReader(
  property: Property,
  matches: (value: AttributeValue) => boolean,
): (record: ParsedRecord, origin: RecordOrigin) => boolean {
  const paths = attributePaths(property).map((path) => (typeof path === 'string' ? [path] : path));
  const outermost = [...new Set(paths.map(([key = '']) => key))];
  const [first = '', ...others] = outermost.map((key) => ({
    key,
    rests: paths.filter(([begin]) => begin === key).map(([, ...rest]) => rest),
  }));
  if (first === '') return () => false;
  const all = [first, ...others];
  return (record, { resource }) => {
    for (let at = 0; at < all.length; at++) {
      const each = all[at];
      if (each === undefined) continue;
      const value = outermostValue(record, resource, each.key);
      if (value === undefined) continue;
      for (const rest of each.rests) {
        const inner = valueAt(value, rest);
        if (inner !== undefined && matches(inner)) return true;
      }
    }
    return false;
  };
}

function outermostValue(record: ParsedRecord, resource: Resource, key: string): AttributeValue | undefined {
  const own = record.attributes.get(key);
  if (own === undefined) {
    if (key === IMPOSSIBLE_TIME) return impossibleTime(record);
    const { attributes } = viewOf(resource);
    return attributes.size === 0 ? undefined : attributes.get(key);
  }
  const index = COLUMN_INDEX.get(key);
  const column = index === undefined ? undefined : ATTRIBUTE_COLUMNS[index];
  const isInColumn = isOriginColumn(key, own) || (column !== undefined && fits(column, own));
  return isInColumn ? undefined : own;
}

function impossibleTime({ timeUnixNano }: ParsedRecord): string | undefined {
  return timeUnixNano === undefined || possibleTime(timeUnixNano) !== undefined
    ? undefined
    : String(timeUnixNano);
}

function valueAt(value: AttributeValue, path: readonly string[]): AttributeValue | undefined {
  let found: AttributeValue | undefined = value;
  for (const key of path) {
    if (found === null || typeof found !== 'object') return undefined;
    if (Array.isArray(found))
      found = INDEX.test(key) ? (found as readonly AttributeValue[])[Number(key)] : undefined;
    else
      found = Object.hasOwn(found, key)
        ? (found as Readonly<Record<string, AttributeValue>>)[key]
        : undefined;
  }
  return found;
}

const INDEX = /^(?:0|[1-9]\d{0,8})$/;

function observedMicro(unixNano: bigint): number {
  return clamped(Number(unixNano / 1000n));
}

/** The records of a batch share the resource: the last one is remembered without a look-up. */
const views = new WeakMap<Resource, RowOrigin>();
let lastResource: Resource | undefined;
let lastView: RowOrigin | undefined;

function viewOf(resource: Resource): RowOrigin {
  if (resource === lastResource && lastView !== undefined) return lastView;
  let view = views.get(resource);
  if (view === undefined) {
    view = rowOrigin(resource);
    views.set(resource, view);
  }
  lastResource = resource;
  lastView = view;
  return view;
}
