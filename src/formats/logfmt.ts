import type { AttributeValue, ParsedRecord } from '../records/log-record.ts';
import type { RecordContext } from '../records/record-context.ts';
import type { Format } from './format.ts';
import { INVALID_UTF8 } from './marker-attributes.ts';
import { plainRecord } from './plain.ts';
import { recordText } from './record-text.ts';
import { takeFields, USUAL_KEYS } from './take-fields.ts';

/**
 * Pairs of a key and a value, as many programs in Go write them:
 *
 *     ts=2026-11-28T10:00:00Z level=info msg="request served" status=200 cached
 *
 * Time, severity and message have the same keys as in `json`. A value without quotes that is a number in its
 * usual notation becomes a number, and `true` and `false` become truth values; so does a key without a value,
 * which is `true`. The last of several equal keys counts.
 */
export const logfmt: Format = {
  name: 'logfmt',
  description: 'Pairs of keys and values: `level=info msg="request served"`.',
  lines: true,
  parse: parseLogfmt,
};

function parseLogfmt(bytes: Uint8Array, context?: RecordContext): ParsedRecord {
  const record = recordText(bytes);
  const attributes = logfmtPairs(record.text);
  if (typeof attributes === 'string') return plainRecord(record, attributes);
  const { body = record.text, ...fields } = takeFields(attributes, USUAL_KEYS, context);
  if (!record.valid) attributes.set(INVALID_UTF8, true);
  return { ...fields, body, attributes };
}

const MAX_PAIRS = 1000;

/** The pairs, or the reason why the text has other content. */
export function logfmtPairs(text: string): Map<string, AttributeValue> | string {
  const pairs = new Map<string, AttributeValue>();
  const firstEquals = text.indexOf('=');
  if (firstEquals < 1) return NO_LOGFMT;
  for (let at = endOfBlanks(text, 0); at < text.length; ) {
    const keyEnd = endOfKey(text, at);
    if (keyEnd === at) return NO_LOGFMT;
    const key = text.slice(at, keyEnd);
    const [value, end] = text[keyEnd] === '=' ? readValue(text, keyEnd + 1) : [true, keyEnd];
    if (value === undefined || (end < text.length && !isBlank(text, end))) return NO_LOGFMT;
    pairs.set(key, value);
    if (pairs.size > MAX_PAIRS) return `more than ${MAX_PAIRS} pairs`;
    at = endOfBlanks(text, end);
  }
  return pairs;
}

const NO_LOGFMT = 'not pairs of keys and values (logfmt)';

function readValue(text: string, start: number): readonly [AttributeValue | undefined, number] {
  if (text[start] !== '"') {
    let end = start;
    while (end < text.length && !isBlank(text, end)) end++;
    return [bareValue(text.slice(start, end)), end];
  }
  let close = start + 1;
  while (close < text.length && text[close] !== '"') close += text[close] === '\\' ? 2 : 1;
  if (close >= text.length) return [undefined, close];
  return [unescaped(text.slice(start + 1, close)), close + 1];
}

/** A number only if its text stays the same: `007` and `1.50` are texts. */
function bareValue(text: string): AttributeValue {
  if (text === 'true' || text === 'false') return text === 'true';
  if (!/^-?\d[\d.]{0,15}$/.test(text)) return text;
  const number = Number(text);
  return Number.isFinite(number) && String(number) === text ? number : text;
}

/** The escapes of Go's `strconv.Quote`. Any other backslash is an ordinary character. */
function unescaped(text: string): string {
  return text.includes('\\')
    ? text.replace(ESCAPE, (found, simple: string, hex: string) =>
        hex === undefined ? (SIMPLE[simple] ?? found) : String.fromCharCode(Number.parseInt(hex, 16)),
      )
    : text;
}

const ESCAPE = /\\(?:(["\\nrt])|u([0-9a-fA-F]{4}))/g;
const SIMPLE: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', r: '\r', t: '\t' };

function endOfKey(text: string, start: number): number {
  let at = start;
  while (at < text.length && !isBlank(text, at) && text[at] !== '=' && text[at] !== '"') at++;
  return at;
}

function endOfBlanks(text: string, start: number): number {
  let at = start;
  while (at < text.length && isBlank(text, at)) at++;
  return at;
}

function isBlank(text: string, at: number): boolean {
  return text.charCodeAt(at) <= 0x20;
}
