import type { ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import { InnerFormat } from '../containers/inner-format.ts';
import type { Format } from '../format.ts';
import { parseJson } from '../json.ts';
import { FORMAT_OPTIONS, PARSE_ERROR } from '../marker-attributes.ts';
import { recordText } from '../record-text.ts';
import { type FieldKeys, USUAL_KEYS } from '../take-fields.ts';

/** Fluent Bit sends the time as `date`. */
export const HTTP_KEYS: FieldKeys = { ...USUAL_KEYS, time: [...USUAL_KEYS.time, 'date'] };

const OPEN_BRACE = 0x7b;

/**
 * A line or a JSON value that a client sent over HTTP: read in the format that the operator has described for the
 * listener, or else as JSON if it is an object. Other text is the body.
 */
export function httpFormat(formatNamed: (name: string) => Format): Format {
  const inner = new InnerFormat(formatNamed);
  return {
    name: 'http',
    description: 'Lines and JSON values, as the source `http` receives them; JSON objects are read.',
    lines: true,
    parse: (bytes, context) => parseText(bytes, inner, context),
  };
}

/** Reads a text in the described format, or as JSON, or as plain. */
export function parseText(
  bytes: Uint8Array,
  inner: InnerFormat,
  context: RecordContext | undefined,
): ParsedRecord {
  if (bytes[0] === OPEN_BRACE && context?.resource.has(FORMAT_OPTIONS) !== true) {
    const parsed = parseJson(recordText(bytes), HTTP_KEYS, context);
    if (!parsed.attributes.has(PARSE_ERROR)) return parsed;
  }
  return inner.parse(bytes, context);
}
