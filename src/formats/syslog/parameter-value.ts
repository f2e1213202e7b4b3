import { BACKSLASH, CLOSE_BRACKET, NOTHING, QUOTE } from '../byte-cursor.ts';
import type { MessageReader } from './message-reader.ts';

/**
 * Reads the value of a parameter of structured data, up to and including the closing quote. Only `\"`, `\\` and `\]` are
 * escapes; any other backslash is an ordinary character. undefined: the value has no end.
 */
export function readParameterValue(message: MessageReader): string | undefined {
  const { bytes, end, at: start } = message;
  let isEscaped = false;
  let at = start;
  for (; at < end && bytes[at] !== QUOTE; at++) {
    if (bytes[at] !== BACKSLASH || at + 1 >= end || !isEscapable(bytes[at + 1] ?? NOTHING)) continue;
    isEscaped = true;
    at++;
  }
  if (at >= end) return undefined;
  message.at = at + 1;
  const text = message.text(start, at);
  return isEscaped ? text.replace(ESCAPE, '$1') : text;
}

const ESCAPE = /\\(["\\\]])/g;

function isEscapable(byte: number): boolean {
  return byte === QUOTE || byte === BACKSLASH || byte === CLOSE_BRACKET;
}
