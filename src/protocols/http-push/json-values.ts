import { PushFault } from './push-fault.ts';
import { PUSH_LIMITS, TOO_MANY_RECORDS } from './push-limits.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * The JSON objects that follow each other in the bytes, with or without white space between them, and the elements of
 * arrays, without a copy. Throws a PushFault.
 */
export function jsonValues(bytes: Buffer): readonly Buffer[] {
  const values: Buffer[] = [];
  for (let at = skipSpace(bytes, 0); at < bytes.length; ) {
    if (bytes[at] !== OPEN_BRACE && bytes[at] !== OPEN_BRACKET) throw invalid();
    const end = endOfValue(bytes, at);
    const value = bytes.subarray(at, end);
    if (bytes[at] === OPEN_BRACE) push(values, value);
    else pushElements(values, value);
    at = skipSpace(bytes, end);
  }
  return values;
}

function pushElements(values: Buffer[], array: Buffer): void {
  let at = skipSpace(array, 1);
  if (array[at] === CLOSE_BRACKET) return;
  for (;;) {
    const end = endOfValue(array, at);
    push(values, array.subarray(at, end));
    at = skipSpace(array, end);
    if (array[at] === CLOSE_BRACKET) return;
    if (array[at] !== COMMA) throw invalid();
    at = skipSpace(array, at + 1);
  }
}

function push(values: Buffer[], value: Buffer): void {
  if (values.length === PUSH_LIMITS.requestRecords) throw new PushFault(TOO_MANY_RECORDS);
  values.push(value);
}

/** Finds the end of the value; it does not check what is inside of objects, lists and texts. */
function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return endOfText(bytes, start);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfNested(bytes, start);
  let end = start;
  while (end < bytes.length && isScalar(bytes[end])) end++;
  if (end === start) throw invalid();
  return end;
}

function endOfNested(bytes: Buffer, start: number): number {
  const closing: number[] = [];
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfText(bytes, at) - 1;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (closing.length === PUSH_LIMITS.jsonDepth) throw new PushFault('The JSON is nested too deeply.');
      closing.push(byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET);
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (closing.pop() !== byte) throw invalid();
      if (closing.length === 0) return at + 1;
    }
  }
  throw new PushFault('The JSON ends before its end.');
}

function endOfText(bytes: Buffer, start: number): number {
  for (let at = start + 1; ; ) {
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) throw new PushFault('The JSON ends before its end.');
    let escapes = 0;
    while (bytes[quote - 1 - escapes] === BACKSLASH && quote - 1 - escapes > start) escapes++;
    if (escapes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at++;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Letters, digits, and the signs of numbers. */
function isScalar(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const isSign = byte === 0x2b || byte === 0x2d || byte === 0x2e;
  return isSign || (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a);
}

function invalid(): PushFault {
  return new PushFault('The body is not valid JSON.');
}
