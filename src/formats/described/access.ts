import type { ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { severityOfStatus } from '../combined.ts';
import type { Format } from '../format.ts';
import { FORMAT_OPTIONS, INVALID_UTF8, TIME_RAW, UNPARSED } from '../marker-attributes.ts';
import { plainRecord } from '../plain.ts';
import { recordText } from '../record-text.ts';
import { scanQuotedField } from '../scan-quoted-field.ts';
import type { AccessRecord } from './access-fields.ts';
import { type AccessPart, type AccessPattern, compileAccessFormat } from './access-pattern.ts';

/**
 * Access logs in a format that the operator has described with nginx's `log_format` or Apache's `LogFormat`.
 * The description comes with the resource of the records. Attributes have the names of `combined`; a field
 * without a name in OpenTelemetry has the name that the server gives to it. A field that is `-` or empty is
 * absent.
 */
export const access: Format = {
  name: 'access',
  description: "Access logs in a described format: nginx's `log_format`, Apache's `LogFormat`.",
  lines: true,
  parse: parseAccess,
};

function parseAccess(bytes: Uint8Array, context?: RecordContext): ParsedRecord {
  const record = recordText(bytes);
  const pattern = patternOf(context?.resource.get(FORMAT_OPTIONS));
  if (pattern === undefined) return plainRecord(record, 'an access log without a description of its format');
  const read: AccessRecord = {
    timeUnixNano: undefined,
    timeText: undefined,
    status: undefined,
    attributes: new Map(),
  };
  const end = readFields(record.text, pattern, read);
  if (end === undefined) return plainRecord(record, 'not in the described format of the access log');
  const { attributes } = read;
  const rest = record.text.slice(end).trimStart();
  if (rest !== '') attributes.set(UNPARSED, rest);
  if (read.timeText !== undefined) attributes.set(TIME_RAW, read.timeText);
  if (!record.valid) attributes.set(INVALID_UTF8, true);
  return {
    timeUnixNano: read.timeUnixNano,
    severityNumber: severityOfStatus(read.status),
    body: record.text,
    attributes,
  };
}

/** Returns the end of the last field; undefined: the line has another format. */
function readFields(
  line: string,
  { before, parts }: AccessPattern,
  record: AccessRecord,
): number | undefined {
  if (!line.startsWith(before)) return undefined;
  let at = before.length;
  for (const part of parts) {
    const [value, end] = fieldAt(line, at, part) ?? [];
    if (value === undefined || end === undefined) return undefined;
    if (value !== '' && value !== '-') part.put(record, value);
    at = end + part.after.length;
  }
  return at;
}

/** The value and its end, where the text after the field begins. */
function fieldAt(
  line: string,
  at: number,
  part: AccessPart,
): readonly [value: string, end: number] | undefined {
  if (part.isQuoted) {
    const field = scanQuotedField(line, at);
    return field !== undefined && line.startsWith(part.after, field.end)
      ? [field.text, field.end]
      : undefined;
  }
  // The blank in the time of Apache is not the end of the field.
  const from = part.isBracketed ? line.indexOf(']', at) + 1 : at;
  if (part.isBracketed && from === 0) return undefined;
  const end = part.until === '' ? endOfToken(line, from) : line.indexOf(part.until, from);
  return end < 0 ? undefined : [line.slice(at, end), end];
}

/** The last field ends at a blank. */
function endOfToken(line: string, at: number): number {
  const blank = line.indexOf(' ', at);
  return blank < 0 ? line.length : blank;
}

/** The last description: all records of a batch have the same. */
let last: { readonly text: string; readonly pattern: AccessPattern | undefined } = {
  text: '',
  pattern: undefined,
};

function patternOf(text: string | undefined): AccessPattern | undefined {
  if (text === undefined) return undefined;
  if (last.text !== text) {
    const compiled = compileAccessFormat(text);
    last = { text, pattern: typeof compiled === 'string' ? undefined : compiled };
  }
  return last.pattern;
}
