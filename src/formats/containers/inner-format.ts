import type { ParsedRecord } from '../../records/log-record.ts';
import type { RecordContext } from '../../records/record-context.ts';
import type { FormatDescription } from '../described/format-description.ts';
import { parseFormatDescription } from '../described/format-description.ts';
import type { Format } from '../format.ts';
import { FORMAT_OPTIONS, PARSE_ERROR } from '../marker-attributes.ts';
import { plain } from '../plain.ts';

const OPEN_BRACE = 0x7b;

/** Reads the message of a container: in the described format, or else as JSON if it is an object. */
export class InnerFormat {
  readonly #formatNamed: (name: string) => Format;
  /** The last context: all records of a batch have the same. */
  #last: InnerContext = { outer: undefined, description: undefined, inner: undefined };

  constructor(formatNamed: (name: string) => Format) {
    this.#formatNamed = formatNamed;
  }

  parse(message: Uint8Array, context: RecordContext | undefined): ParsedRecord {
    if (this.#last.outer !== context) this.#last = innerContextOf(context);
    const { description, inner } = this.#last;
    if (description !== undefined) return this.#formatNamed(description.name).parse(message, inner);
    if (message[0] === OPEN_BRACE) {
      const parsed = this.#formatNamed('json').parse(message, inner);
      if (!parsed.attributes.has(PARSE_ERROR)) return parsed;
    }
    return plain.parse(message);
  }
}

interface InnerContext {
  readonly outer: RecordContext | undefined;
  readonly description: FormatDescription | undefined;
  readonly inner: RecordContext | undefined;
}

function innerContextOf(outer: RecordContext | undefined): InnerContext {
  const options = outer?.resource.get(FORMAT_OPTIONS);
  if (outer === undefined || options === undefined) return { outer, description: undefined, inner: outer };
  const parsed = parseFormatDescription(options);
  const description = typeof parsed === 'string' ? undefined : parsed;
  const resource = new Map(outer.resource);
  if (description?.options === undefined) resource.delete(FORMAT_OPTIONS);
  else resource.set(FORMAT_OPTIONS, description.options);
  return { outer, description, inner: { ...outer, resource } };
}
