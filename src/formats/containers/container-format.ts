import type { AttributeValue, ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import type { Format } from '../format.ts';
import { INVALID_UTF8, TIME_RAW } from '../marker-attributes.ts';
import { plainRecord } from '../plain.ts';
import { recordText, withoutByteOrderMark, withoutLineEnding } from '../record-text.ts';
import { parseRfc3339 } from '../rfc3339.ts';
import type { ContainerLineSyntax, LineContent } from './container-line-syntax.ts';
import { InnerFormat } from './inner-format.ts';

/** OpenTelemetry's name for the stream of the program. */
const IOSTREAM = 'log.iostream';
/** The time of the runtime, for a message that has its own time. */
const RUNTIME_TIME = 'time';
const LF = 0x0a;

/**
 * The format of a log that a container runtime writes: each record has one message of the program, whose parts
 * are on one or more lines. The message is read in its own format: as JSON if it is an object, or in the format
 * that the operator has described.
 */
export function containerFormat(
  syntax: ContainerLineSyntax,
  { description, formatNamed }: ContainerFormatOptions,
): Format {
  const inner = new InnerFormat(formatNamed);
  return {
    name: syntax.name,
    description,
    lines: true,
    parse(bytes: Uint8Array, context?: RecordContext): ParsedRecord {
      const first = messageOf(bufferOf(withoutByteOrderMark(bytes)), syntax);
      if (first === undefined) return plainRecord(recordText(bytes), `not ${syntax.lineName}`);
      const parsed = inner.parse(first.message, context);
      return recordOf(parsed, first, recordText(bytes).valid);
    },
  };
}

export interface ContainerFormatOptions {
  readonly description: string;
  readonly formatNamed: (name: string) => Format;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The first line, with the message of all lines. Parts are joined as they are, full lines by line feeds. */
function messageOf(bytes: Buffer, syntax: ContainerLineSyntax): LineContent | undefined {
  let first: LineContent | undefined;
  const parts: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const lf = bytes.indexOf(LF, start);
    const end = lf < 0 ? bytes.length : lf + 1;
    const line = syntax.contentOf(bytes, start, start + withoutLineEnding(bytes.subarray(start, end)).length);
    if (line === undefined && first === undefined) return undefined;
    first ??= line;
    parts.push(line?.message ?? bytes.subarray(start, end));
    if (line?.isPartial === false && end < bytes.length) parts.push(LINE_FEED);
    start = end;
  }
  if (first === undefined) return undefined;
  return parts.length === 1 ? first : { ...first, message: Buffer.concat(parts) };
}

const LINE_FEED = Uint8Array.of(LF);

function recordOf(parsed: ParsedRecord, line: LineContent, isValid: boolean): ParsedRecord {
  const attributes = new Map<string, AttributeValue>(parsed.attributes);
  for (const [name, value] of Object.entries(line.attributes ?? {}))
    if (!attributes.has(name)) attributes.set(name, value);
  attributes.set(IOSTREAM, line.iostream);
  const timeUnixNano = parseRfc3339(line.time);
  if (timeUnixNano === undefined) attributes.set(TIME_RAW, line.time);
  else if (parsed.timeUnixNano !== undefined && !attributes.has(RUNTIME_TIME))
    attributes.set(RUNTIME_TIME, line.time);
  if (!isValid) attributes.set(INVALID_UTF8, true);
  return { ...parsed, timeUnixNano: parsed.timeUnixNano ?? timeUnixNano, attributes };
}
