import { isDigit, NOTHING, ZERO } from '../byte-cursor.ts';
import type { MessageReader } from './message-reader.ts';

/** Reads the process id between two places: a number, or the text of other ids and of digits that a number would change. */
export function processIdAt(message: MessageReader, start: number, end: number): number | string {
  const { bytes } = message;
  const isExact = end - start <= MAX_DIGITS && (bytes[start] !== ZERO || end - start === 1);
  if (!isExact) return message.text(start, end);
  let number = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? NOTHING;
    if (!isDigit(byte)) return message.text(start, end);
    number = number * 10 + byte - ZERO;
  }
  return number;
}

const MAX_DIGITS = 15;
