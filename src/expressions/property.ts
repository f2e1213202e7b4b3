import { ACCESS_LOG_ALIASES } from '../formats/access-log-aliases.ts';
import { ATTRIBUTE_COLUMNS } from '../formats/attribute-columns.ts';
import { storable } from '../formats/record-columns.ts';
import { PropertyError, quoted, readBrackets } from './property-brackets.ts';

export { PropertyError };

/**
 * A property of records in a search, a metric or a segment. This is the parsed text: only the names of
 * attributes (as values) reach a statement.
 *
 *     severity, host.name, service.name, source, format, body, stream, time     columns
 *     http.response.status_code                            an attribute, by its OpenTelemetry name
 *     status_code, request_route, ruser, host, ...         the short names of access logs, for the same attributes
 *     attributes.host, attributes['any name'], ['any name']      only attributes of the record itself
 *     section(url.path)                                    the part between the first and the second slash
 *
 * A record may have an attribute with the name of a column or a short name, or a value that does not fit the
 * column. Such a name means both: the column, and the attribute (`property-paths.ts`). `host` is the short
 * name for the client of a request (`client.address`); the machine of a log is `host.name`.
 */
export type Property =
  | {
      readonly kind: 'column';
      readonly name: string;
      readonly column: PropertyColumn;
      readonly type: PropertyType;
    }
  | {
      readonly kind: 'attribute';
      readonly name: string;
      readonly key: string;
      /** Exactly these nested keys; absent: `key`, with dots that may separate keys. */
      readonly path?: readonly string[];
      /** Keys and indexes after the name: `request.headers[0]`. */
      readonly rest?: readonly string[];
      /** Only the attribute `key` of the resource. Stores do not keep resources apart, so they cannot select by it. */
      readonly isResource?: boolean;
    }
  | { readonly kind: 'section'; readonly name: string; readonly of: Property };

export type PropertyType = 'text' | 'number' | 'time' | 'uuid';

const RECORD_COLUMNS = {
  time: ['time', 'time'],
  ts: ['time', 'time'],
  observed_time: ['observed_time', 'time'],
  severity: ['severity_number', 'number'],
  severity_number: ['severity_number', 'number'],
  severity_text: ['severity_text', 'text'],
  'host.name': ['host', 'text'],
  'service.name': ['service', 'text'],
  service: ['service', 'text'],
  source: ['source', 'text'],
  'log.file.path': ['source', 'text'],
  format: ['format', 'text'],
  body: ['body', 'text'],
  stream: ['stream', 'uuid'],
  position: ['position', 'number'],
} as const satisfies Record<string, readonly [string, PropertyType]>;

/** The names of the properties that every record may have. */
export const RECORD_PROPERTIES: readonly string[] = Object.keys(RECORD_COLUMNS);

export type PropertyColumn =
  | (typeof RECORD_COLUMNS)[keyof typeof RECORD_COLUMNS][0]
  | (typeof ATTRIBUTE_COLUMNS)[number]['column'];

const MAX_LENGTH = 300;
const CALL = /^([A-Za-z_]+)\((.*)\)$/s;
/**
 * Other names need brackets: they are empty, look like a call or like "all records", or cannot be typed as
 * they are.
 */
const PLAIN_NAME = /^[^\p{Cc}\p{Surrogate}()*[\]]+$/u;

/** The prefix of names that mean attributes only. */
export const ATTRIBUTES_PREFIX = 'attributes.';

/** Throws PropertyError. */
export function parseProperty(text: string): Property {
  const trimmed = text.trim();
  if (trimmed.length > MAX_LENGTH) {
    throw new PropertyError(`expected at most ${MAX_LENGTH} characters, found ${quoted(trimmed)}`);
  }
  const plain = PLAIN_BRACKETS.exec(trimmed)?.[1];
  if (plain !== undefined) return parseProperty(`${ATTRIBUTES_PREFIX}${plain}`);
  const path = readBrackets(trimmed);
  if (path !== undefined) return bracketed(trimmed, path);
  const indexed = INDEXED.exec(trimmed);
  if (indexed !== null) return indexedOf(trimmed, indexed[1] ?? '', indexed[2] ?? '');
  const call = CALL.exec(trimmed);
  if (call !== null) return sectionOf(call[1] ?? '', call[2] ?? '');
  if (!PLAIN_NAME.test(trimmed)) {
    throw new PropertyError(
      `expected a property such as status_code, http.request.method, section(url.path) or ['any name'], found ${quoted(trimmed)}`,
    );
  }
  return named(trimmed);
}

/** `[any.name]` is `attributes.any.name`. */
const PLAIN_BRACKETS = /^\[\s*([\p{L}_@$][^\]'"]*?)\s*\]$/u;
/** `request.headers[0]`, `order['any key'][2]`, `order.items[0].id`. */
const INDEXED =
  /^([^[\]()*]+)((?:\[(?:\d{1,9}|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\](?:\.[\p{L}\p{N}_@$/-]+)*)+)$/su;
const STEP = /\[(\d+)\]|\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]|\.([^.[]+)/gs;

function indexedOf(name: string, base: string, path: string): Property {
  const of = parseProperty(base);
  const brackets = path.replaceAll(STEP, (step, index?: string, key?: string) =>
    index === undefined ? (key === undefined ? step : `['${key}']`) : `['${Number(index)}']`,
  );
  const keys = readBrackets(brackets) ?? [];
  const key = of.kind === 'attribute' ? of.key : base.replace(ATTRIBUTES_PREFIX, '');
  return { kind: 'attribute', name, key, rest: keys.map(storable) };
}

function sectionOf(name: string, inner: string): Property {
  if (name !== 'section') {
    throw new PropertyError(
      `expected section(...), or brackets for a name with parentheses, found ${quoted(`${name}(...)`)}`,
    );
  }
  const of = parseProperty(inner.trim() === 'path' ? 'url.path' : inner);
  const isText = of.kind === 'attribute' || (of.kind === 'column' && of.type === 'text');
  if (!isText) throw new PropertyError(`expected a property with text in section(), found ${quoted(inner)}`);
  return { kind: 'section', name: `section(${of.name})`, of };
}

function named(text: string): Property {
  if (Object.hasOwn(RECORD_COLUMNS, text)) {
    const [column, type] = RECORD_COLUMNS[text as keyof typeof RECORD_COLUMNS];
    return { kind: 'column', name: text, column, type };
  }
  const key = ACCESS_LOG_ALIASES.find(({ alias }) => alias === text)?.attribute ?? text;
  const isPrefixed = text.startsWith(ATTRIBUTES_PREFIX) && text.length > ATTRIBUTES_PREFIX.length;
  return attribute(text, isPrefixed ? text.slice(ATTRIBUTES_PREFIX.length) : key);
}

function bracketed(name: string, path: readonly string[]): Property {
  const [first = '', ...rest] = path.map(storable);
  const found = attribute(name, first);
  return found.kind === 'column' && rest.length === 0
    ? found
    : { kind: 'attribute', name, key: first, path: [first, ...rest] };
}

/** An attribute of this name, with or without a column. */
function attribute(name: string, key: string): Property {
  // The host and the service of a record itself are in the same columns as those of its resource.
  if (key === 'host.name' || key === 'service.name') {
    const [column, type] = RECORD_COLUMNS[key];
    return { kind: 'column', name, column, type };
  }
  const column = ATTRIBUTE_COLUMNS.find((each) => each.attribute === key);
  if (column === undefined) return { kind: 'attribute', name, key };
  return { kind: 'column', name, column: column.column, type: column.type === 'text' ? 'text' : 'number' };
}
