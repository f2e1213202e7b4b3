import { LIMITS } from '../records/limits.ts';
import type { AttributeValue, ParsedRecord } from '../records/log-record.ts';
import type { Format } from './format.ts';
import { plainRecord } from './plain.ts';
import { postgresRecord } from './postgres/postgres-record.ts';
import { TextReader } from './postgres/text-reader.ts';
import { quoteInexactNumbers } from './quote-inexact-numbers.ts';
import { recordText, withoutByteOrderMark, withoutLineEnding } from './record-text.ts';

/**
 * PostgreSQL's `log_destination = jsonlog` (15 and newer). Its keys are the attributes. JSON should be UTF-8,
 * but PostgreSQL writes the bytes of the database at hand into it.
 */
export const postgresJsonlog: Format = {
  name: 'postgres-jsonlog',
  description: "PostgreSQL's jsonlog; its keys are the attributes.",
  lines: true,
  parse: parseJsonlog,
};

function parseJsonlog(bytes: Uint8Array): ParsedRecord {
  const texts = new TextReader();
  const attributes = attributesIn(texts.read(withoutLineEnding(withoutByteOrderMark(bytes))));
  if (attributes === undefined) return plainRecord(recordText(bytes), 'not a jsonlog record of PostgreSQL');
  const queryId = attributes.get('query_id');
  if (typeof queryId === 'number') attributes.set('query_id', String(queryId));
  return postgresRecord(attributes, texts.foreign);
}

/** PostgreSQL's objects are flat: a nested one is not from PostgreSQL. */
function attributesIn(text: string): Map<string, AttributeValue> | undefined {
  if (text.length > LIMITS.recordBytes) return undefined;
  try {
    const value: unknown = JSON.parse(quoteInexactNumbers(text));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value as Readonly<Record<string, unknown>>);
    if (!entries.every((entry): entry is [string, AttributeValue] => isScalar(entry[1]))) return undefined;
    return entries.some(([key]) => key === 'timestamp') ? new Map(entries) : undefined;
  } catch {
    return undefined;
  }
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
