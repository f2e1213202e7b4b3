import type { ParsedRecord } from '../records/log-record.ts';
import type { RecordContext } from '../records/record-context.ts';
import { EMPTY_RESOURCE } from '../records/resource.ts';
import { PARSE_ERROR } from './marker-attributes.ts';
import { formatNamed } from './registry.ts';
import { severityOfName } from './severity.ts';

/** The strictest format first: each record of PostgreSQL's JSON log is JSON, too. */
export const GUESSED_FORMATS = [
  ...[
    'cri',
    'docker-json',
    'combined',
    'postgres-jsonlog',
    'json',
    'postgres-csvlog',
    'nginx-error',
    'apache-error',
    'syslog',
  ],
  'logfmt',
] as const;

export const SAMPLE_RECORDS = 20;
export const SAMPLE_BYTES = 64 * 1024;

/** The first of these formats that fits most of the records; undefined if none does. */
export function guessFormatOf(
  records: readonly Uint8Array[],
  candidates: readonly string[] = GUESSED_FORMATS,
): string | undefined {
  return candidates.find((name) => countFitting(name, records) * 2 > records.length);
}

/** The number of records that are in this format without doubt. */
export function countFitting(name: string, records: readonly Uint8Array[], context = NO_CONTEXT): number {
  const format = formatNamed(name);
  return records.filter((record) => {
    const parsed = format.parse(record, context);
    return !parsed.attributes.has(PARSE_ERROR) && isCertain(name, record, parsed);
  }).length;
}

const NO_CONTEXT: RecordContext = { resource: EMPTY_RESOURCE, observedTimeUnixNano: 0n };

function isCertain(name: string, record: Uint8Array, parsed: ParsedRecord): boolean {
  if (name === 'syslog') return isSyslog(record, parsed);
  // One pair may be part of any text.
  if (name === 'logfmt') return parsed.timeUnixNano !== undefined || parsed.severityNumber !== undefined;
  return true;
}

/**
 * A priority, or a date with host and program. Other programs begin their lines with a date and a level, and
 * separate both parts of the date by a blank, which rsyslog never does.
 */
function isSyslog(record: Uint8Array, { attributes }: ParsedRecord): boolean {
  if (record[0] === OPEN_BRACE) return false;
  if (record[0] === LESS) return true;
  const host = attributes.get('host.name');
  if (typeof host !== 'string' || !attributes.has('service.name')) return false;
  const hasBlank = record[4] === HYPHEN && record[10] === BLANK;
  return !hasBlank && severityOfName(host) === undefined;
}

const OPEN_BRACE = 0x7b;
const LESS = 0x3c;
const HYPHEN = 0x2d;
const BLANK = 0x20;
