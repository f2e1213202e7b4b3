import type { AttributeValue } from '../../records/log-record.ts';
import {
  BACKSLASH,
  BLANK,
  type ByteCursor,
  CLOSE_BRACKET,
  COLON,
  HYPHEN,
  NOTHING,
  OPEN_BRACKET,
  QUOTE,
} from '../byte-cursor.ts';
import type { RecordDecoder } from './record-decoder.ts';

/** The elements by their ids. The value of a name that occurs several times is a list. */
export type StructuredData = Readonly<Record<string, Readonly<Record<string, AttributeValue>>>>;

/**
 * Reads the structured data of RFC 5424, section 6.3: `-`, or elements such as `[id name="value"]` without a
 * separator. Only `\"`, `\\` and `\]` are escapes; any other backslash is an ordinary character.
 *
 * Check Point writes one element without an id, `[action:"Accept"; flags:"4096"]`: its id is `checkpoint`.
 *
 * `absent`: there is no structured data (old relays leave it out). `unclosed`: an element does not end. The
 * cursor is then unchanged.
 */
export function readStructuredData(
  cursor: ByteCursor,
  decoder: RecordDecoder,
): StructuredData | 'nil' | 'absent' | 'unclosed' {
  if (cursor.peek() === HYPHEN && isEnd(cursor.peek(1))) {
    cursor.at++;
    return 'nil';
  }
  if (cursor.peek() !== OPEN_BRACKET) return 'absent';
  const start = cursor.at;
  const elements = emptyRecord<Record<string, AttributeValue>>();
  while (cursor.peek() === OPEN_BRACKET) {
    const hasNext = cursor.at > start;
    const element = cursor.at;
    if (readElement(cursor, decoder, elements)) continue;
    // A message may begin with a bracket directly after the structured data.
    cursor.at = hasNext ? element : start;
    return hasNext ? elements : 'unclosed';
  }
  return elements;
}

type Elements = Record<string, Record<string, AttributeValue>>;

function readElement(cursor: ByteCursor, decoder: RecordDecoder, elements: Elements): boolean {
  cursor.at++;
  const id = readName(cursor, decoder);
  if (id === undefined) return false;
  const isCheckPoint = cursor.peek() === COLON && cursor.peek(1) === QUOTE;
  const parameters = emptyRecord<AttributeValue>();
  const isRead = isCheckPoint
    ? readParameter(cursor, decoder, parameters, id) && readParameters(cursor, decoder, parameters)
    : readParameters(cursor, decoder, parameters);
  if (!isRead) return false;
  merge(elements, isCheckPoint ? CHECK_POINT_ID : id, parameters);
  return true;
}

const CHECK_POINT_ID = 'checkpoint';

/** Up to and including the bracket. */
function readParameters(
  cursor: ByteCursor,
  decoder: RecordDecoder,
  into: Record<string, AttributeValue>,
): boolean {
  for (;;) {
    cursor.skip(SEMICOLON);
    cursor.skipBlanks();
    if (cursor.skip(CLOSE_BRACKET)) return true;
    const name = readName(cursor, decoder);
    if (name === undefined || !readParameter(cursor, decoder, into, name)) return false;
  }
}

/** `="value"` or `:"value"`, after the name. */
function readParameter(
  cursor: ByteCursor,
  decoder: RecordDecoder,
  into: Record<string, AttributeValue>,
  name: string,
): boolean {
  if (!(cursor.skip(EQUALS) || cursor.skip(COLON)) || !cursor.skip(QUOTE)) return false;
  const value = readValue(cursor, decoder);
  if (value === undefined) return false;
  add(into, name, value);
  return true;
}

/** Up to and including the closing quote. */
function readValue(cursor: ByteCursor, decoder: RecordDecoder): string | undefined {
  const start = cursor.at;
  let isEscaped = false;
  for (;;) {
    const byte = cursor.peek();
    if (byte === NOTHING) return undefined;
    cursor.at++;
    if (byte === QUOTE) break;
    if (byte === BACKSLASH && isEscapable(cursor.peek())) {
      isEscaped = true;
      cursor.at++;
    }
  }
  const text = decoder.text(start, cursor.at - 1);
  return isEscaped ? text.replace(ESCAPE, '$1') : text;
}

const ESCAPE = /\\(["\\\]])/g;

function isEscapable(byte: number): boolean {
  return byte === QUOTE || byte === BACKSLASH || byte === CLOSE_BRACKET;
}

/** An id or a name: printable ASCII without blank, `=`, `]`, `"`, and here `:`, `;`. */
function readName(cursor: ByteCursor, decoder: RecordDecoder): string | undefined {
  const start = cursor.at;
  while (isNameByte(cursor.peek()) && !(cursor.peek() === COLON && cursor.peek(1) === QUOTE)) cursor.at++;
  return cursor.at === start ? undefined : decoder.text(start, cursor.at);
}

function isNameByte(byte: number): boolean {
  if (byte <= BLANK || byte >= 0x7f) return false;
  return byte !== EQUALS && byte !== CLOSE_BRACKET && byte !== QUOTE && byte !== SEMICOLON;
}

/** Equal names of one element become a list. */
function add(into: Record<string, AttributeValue>, name: string, value: string): void {
  const earlier = into[name];
  if (earlier === undefined) into[name] = value;
  else if (Array.isArray(earlier)) (earlier as AttributeValue[]).push(value);
  else into[name] = [earlier, value];
}

/** Equal ids are one element, although RFC 5424 does not allow them. */
function merge(elements: Elements, id: string, parameters: Record<string, AttributeValue>): void {
  const earlier = elements[id];
  if (earlier === undefined) {
    elements[id] = parameters;
    return;
  }
  for (const [name, value] of Object.entries(parameters))
    for (const each of Array.isArray(value) ? value : [value]) add(earlier, name, String(each));
}

/** A peer chooses the names: none of them, such as `__proto__`, has a meaning. */
function emptyRecord<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>;
}

function isEnd(byte: number): boolean {
  return byte === BLANK || byte === NOTHING;
}

const EQUALS = 0x3d;
const SEMICOLON = 0x3b;
