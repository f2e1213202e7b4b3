import { ACCESS_LOG_ALIASES } from '../formats/access-log-aliases.ts';
import { ATTRIBUTE_COLUMNS } from './log-columns.ts';

/**
 * What one may ask a record for, in searches, metrics and segments. People write it as text; this is the text read, and
 * nothing of the text but an attribute's key (as a value) goes any further.
 *
 *     severity, host.name, service.name, source, format, body, stream, time     columns
 *     http.response.status_code                            an attribute, by its OpenTelemetry name
 *     status_code, request_route, ruser, host, ...         the short names of access logs, for the same attributes
 *     section(url.path)                                    the part between the first and the second slash
 *
 * `host` is the short name for the client of a request (`client.address`); the machine that a log lies on is `host.name`.
 */
export type Property =
  | {
      readonly kind: 'column';
      readonly name: string;
      readonly column: PropertyColumn;
      readonly type: PropertyType;
    }
  | { readonly kind: 'attribute'; readonly name: string; readonly key: string }
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

export type PropertyColumn =
  | (typeof RECORD_COLUMNS)[keyof typeof RECORD_COLUMNS][0]
  | (typeof ATTRIBUTE_COLUMNS)[number]['column'];

/** Not a property: what was expected, for a person. */
export class PropertyError extends Error {
  override readonly name = 'PropertyError';
}

const MAX_LENGTH = 300;
const KEY = /^[A-Za-z_@][A-Za-z0-9_.@:/-]{0,127}$/;
const CALL = /^([a-z]+)\((.*)\)$/s;

/** Throws PropertyError. */
export function parseProperty(text: string): Property {
  const trimmed = text.trim();
  const call = trimmed.length > MAX_LENGTH ? null : CALL.exec(trimmed);
  if (call !== null) return sectionOf(call[1] ?? '', call[2] ?? '');
  if (!KEY.test(trimmed)) {
    throw new PropertyError(
      `expected a property such as status_code, http.request.method or section(url.path), found ${quoted(trimmed)}`,
    );
  }
  return named(trimmed);
}

function sectionOf(name: string, inner: string): Property {
  if (name !== 'section') throw new PropertyError(`expected section(...), found ${quoted(`${name}(...)`)}`);
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
  const column = ATTRIBUTE_COLUMNS.find(({ attribute }) => attribute === key);
  if (column === undefined) return { kind: 'attribute', name: text, key };
  const type = column.type === 'text' ? 'text' : 'number';
  return { kind: 'column', name: text, column: column.column, type };
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}
