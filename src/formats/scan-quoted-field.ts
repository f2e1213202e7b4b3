import { isUtf8 } from 'node:buffer';

/**
 * Reads the quoted field that opens at `start`. It ends at a quote that is not escaped and is followed by a
 * blank or the end of the line: some servers do not escape quotes inside. undefined if there is no field or
 * no end.
 *
 * Escapes of Apache and nginx: `\"`, `\\`, `\n`, `\t`, `\r`, `\b`, `\v`, `\f`, and `\xhh` for one byte (so
 * that `\xc3\xa9` is one character). Any other backslash is an ordinary character.
 */
export function scanQuotedField(line: string, start: number): QuotedField | undefined {
  if (line[start] !== '"') return undefined;
  // Nearly all fields have nothing to unescape, and end at the first quote.
  const quote = line.indexOf('"', start + 1);
  if (quote < 0) return undefined;
  const text = line.slice(start + 1, quote);
  const isPlain = endsField(line, quote) && !text.includes('\\');
  return isPlain ? { text, end: quote + 1, valid: true } : scanEscaped(line, start);
}

/** A quoted field of an access log. */
export interface QuotedField {
  /** Unescaped. */
  readonly text: string;
  /** The index after the closing quote. */
  readonly end: number;
  /** False: escaped bytes were not UTF-8; U+FFFD replaces them. */
  readonly valid: boolean;
}

function scanEscaped(line: string, start: number): QuotedField | undefined {
  let escaped = false;
  for (let at = start + 1; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (code === BACKSLASH) {
      escaped = true;
      at++;
    } else if (code === QUOTE && endsField(line, at)) {
      const text = line.slice(start + 1, at);
      return escaped ? { ...unescaped(text), end: at + 1 } : { text, end: at + 1, valid: true };
    }
  }
  return undefined;
}

/** Whether the field ends after the quote at this position. */
function endsField(line: string, quote: number): boolean {
  return quote + 1 === line.length || line.charCodeAt(quote + 1) === BLANK;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK = 0x20;

const SINGLE: ReadonlyMap<string, number> = new Map([
  ['"', QUOTE],
  ['\\', BACKSLASH],
  ['n', 0x0a],
  ['t', 0x09],
  ['r', 0x0d],
  ['b', 0x08],
  ['v', 0x0b],
  ['f', 0x0c],
]);

/** In bytes, because an escape is one byte and a character may have several. */
function unescaped(text: string): Pick<QuotedField, 'text' | 'valid'> {
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(text));
  let length = 0;
  let copied = 0;
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at)) {
    const single = SINGLE.get(text.charAt(at + 1));
    const hex = single === undefined ? /^x([0-9A-Fa-f]{2})/.exec(text.slice(at + 1, at + 4))?.[1] : undefined;
    const byte = hex === undefined ? single : Number.parseInt(hex, 16);
    if (byte === undefined) {
      at++;
      continue;
    }
    length += bytes.write(text.slice(copied, at), length);
    bytes[length++] = byte;
    at += hex === undefined ? 2 : 4;
    copied = at;
  }
  length += bytes.write(text.slice(copied), length);
  const written = bytes.subarray(0, length);
  return { text: written.toString(), valid: isUtf8(written) };
}
