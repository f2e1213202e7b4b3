import type { AttributeValue } from '../../records/log-record.ts';
import { BLANK, CLOSE_BRACKET, COLON, OPEN_BRACKET, QUOTE } from '../byte-cursor.ts';
import type { MessageReader } from './message-reader.ts';
import { readParameterValue } from './parameter-value.ts';
import { emptyRecord, type StructuredData } from './structured-data-value.ts';

/**
 * Reads elements of structured data, from the first bracket on: `[id name="value"][id2]`.
 *
 * Check Point writes one element without an id, `[action:"Accept"; flags:"4096"]`: its id is `checkpoint`.
 *
 * `unclosed`: the first element does not end; the cursor is then unchanged.
 */
export function readElements(message: MessageReader): StructuredData | 'unclosed' {
  const start = message.at;
  const elements = emptyRecord<Record<string, AttributeValue>>();
  while (message.peek() === OPEN_BRACKET) {
    const hasNext = message.at > start;
    const element = message.at;
    if (readElement(message, elements)) continue;
    // A message may begin with a bracket directly after the structured data.
    message.at = hasNext ? element : start;
    return hasNext ? elements : 'unclosed';
  }
  return elements;
}

type Elements = Record<string, Record<string, AttributeValue>>;

function readElement(message: MessageReader, elements: Elements): boolean {
  message.at++;
  const id = readName(message);
  if (id === undefined) return false;
  const isCheckPoint = message.peek() === COLON && message.peek(1) === QUOTE;
  const parameters = emptyRecord<AttributeValue>();
  const isRead = isCheckPoint
    ? readParameter(message, parameters, id) && readParameters(message, parameters)
    : readParameters(message, parameters);
  if (!isRead) return false;
  merge(elements, isCheckPoint ? CHECK_POINT_ID : id, parameters);
  return true;
}

const CHECK_POINT_ID = 'checkpoint';

/** Up to and including the bracket. */
function readParameters(message: MessageReader, into: Record<string, AttributeValue>): boolean {
  for (;;) {
    message.skip(SEMICOLON);
    message.skipBlanks();
    if (message.skip(CLOSE_BRACKET)) return true;
    const name = readName(message);
    if (name === undefined || !readParameter(message, into, name)) return false;
  }
}

/** `="value"` or `:"value"`, after the name. */
function readParameter(message: MessageReader, into: Record<string, AttributeValue>, name: string): boolean {
  if (!(message.skip(EQUALS) || message.skip(COLON)) || !message.skip(QUOTE)) return false;
  const value = readParameterValue(message);
  if (value === undefined) return false;
  add(into, name, value);
  return true;
}

/** An id or a name: printable ASCII without blank, `=`, `]`, `"`, and here `:`, `;`. */
function readName(message: MessageReader): string | undefined {
  const start = message.at;
  while (isNameByte(message.peek()) && !(message.peek() === COLON && message.peek(1) === QUOTE)) message.at++;
  return message.at === start ? undefined : message.text(start, message.at);
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

const EQUALS = 0x3d;
const SEMICOLON = 0x3b;
