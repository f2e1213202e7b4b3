import type { LogRecord } from '../../records/log-record.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { severityName } from '../json-record.ts';

/** A routing key with placeholders: `logs.{host.name}.{severity}`. */
export interface RoutingKey {
  readonly text: string;
  /** Text and names alternate, with text first and last. */
  readonly parts: readonly string[];
}

const PLACE = /\{([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})\}/;
/** A limit of the protocol. */
const MAX_BYTES = 255;

/** Returns undefined if a brace is not part of a placeholder. */
export function parseRoutingKey(text: string): RoutingKey | undefined {
  const parts = text.split(PLACE);
  const isWhole = parts.every((part, index) => index % 2 === 1 || !/[{}]/.test(part));
  return isWhole && Buffer.byteLength(text) <= MAX_BYTES ? { text, parts } : undefined;
}

/** The placeholders that a message with several records has: those of its stream. */
export function namesOfRecords({ parts }: RoutingKey): readonly string[] {
  return parts.filter((part, index) => index % 2 === 1 && RECORD_NAMES.has(part));
}

const RECORD_NAMES = new Set(['severity']);

/** The key of all records of a slice. */
export function keyOfSlice({ text, parts }: RoutingKey, slice: RecordBatch): string {
  if (parts.length === 1) return text;
  return expanded(
    parts,
    (name) => slice.resource.get(name) ?? (name === 'format' ? slice.format : undefined),
  );
}

/** The key of a record: its attributes, those of its resource, `severity` and `format`. */
export function keyOfRecord({ text, parts }: RoutingKey, record: LogRecord): string {
  if (parts.length === 1) return text;
  return expanded(parts, (name) => placeholder(record, name));
}

function placeholder(record: LogRecord, name: string): string | undefined {
  const value = record.attributes.get(name) ?? record.resource.get(name);
  if (value !== undefined && value !== null && typeof value !== 'object') return String(value);
  if (name === 'severity') return severityName(record.severityNumber || undefined)?.toLowerCase();
  return name === 'format' ? record.format : undefined;
}

function expanded(parts: readonly string[], value: (name: string) => string | undefined): string {
  const key = parts.map((part, index) => (index % 2 === 0 ? part : word(value(part)))).join('');
  if (Buffer.byteLength(key) <= MAX_BYTES) return key;
  return Buffer.from(key)
    .subarray(0, MAX_BYTES)
    .toString()
    .replace(/\ufffd+$/, '');
}

/** A value is one word of the key: points separate words, and `*` and `#` have a meaning in bindings. */
function word(value: string | undefined): string {
  return value === undefined || value === '' ? 'unknown' : value.replace(UNWANTED, '_');
}

const UNWANTED = /[.*#\s\p{Cc}]/gu;
