import { BLANK, HYPHEN, NOTHING, OPEN_BRACKET } from '../byte-cursor.ts';
import { KnownShapes } from './known-shapes.ts';
import type { MessageReader } from './message-reader.ts';
import { readElements } from './read-elements.ts';
import type { StructuredData } from './structured-data-value.ts';

/**
 * Reads the structured data of RFC 5424, section 6.3: `-`, or elements such as `[id name="value"]` without a
 * separator.
 *
 * `absent`: there is no structured data (old relays leave it out). `unclosed`: an element does not end. The
 * cursor is then unchanged.
 */
export function readStructuredData(message: MessageReader): StructuredData | 'nil' | 'absent' | 'unclosed' {
  if (message.peek() === HYPHEN && isEnd(message.peek(1))) {
    message.at++;
    return 'nil';
  }
  if (message.peek() !== OPEN_BRACKET) return 'absent';
  const known = shapes.readAt(message);
  if (known !== undefined) return known;
  const start = message.at;
  const data = readElements(message);
  if (data !== 'unclosed') shapes.add(data, message.at - start);
  return data;
}

const shapes = new KnownShapes();

function isEnd(byte: number): boolean {
  return byte === BLANK || byte === NOTHING;
}
