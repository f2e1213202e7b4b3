import type { Attributes, ParsedRecord } from '../records/log-record.ts';
import type { Format } from './format.ts';
import { INVALID_UTF8, PARSE_ERROR } from './marker-attributes.ts';
import { type RecordText, recordText } from './record-text.ts';

const NO_ATTRIBUTES: Attributes = new Map();
const INVALID: Attributes = new Map([[INVALID_UTF8, true]]);

/** Plain text. All unknown formats are read as this. */
export const plain: Format = {
  name: 'plain',
  description: 'Any text: the record is its body.',
  lines: true,
  parse: (bytes) => plainRecord(recordText(bytes)),
};

/** A record with only its text; `parseError`: the reason, when its format is another one. */
export function plainRecord({ text, valid }: RecordText, parseError?: string): ParsedRecord {
  if (parseError === undefined) return { body: text, attributes: valid ? NO_ATTRIBUTES : INVALID };
  const attributes = new Map<string, string | boolean>([[PARSE_ERROR, parseError]]);
  if (!valid) attributes.set(INVALID_UTF8, true);
  return { body: text, attributes };
}
