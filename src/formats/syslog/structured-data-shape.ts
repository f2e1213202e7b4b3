import type { AttributeValue } from '../../records/log-record.ts';
import { OPEN_BRACKET } from '../byte-cursor.ts';
import type { MessageReader } from './message-reader.ts';
import { readParameterValue } from './parameter-value.ts';
import { emptyRecord, type StructuredData } from './structured-data-value.ts';

/**
 * Structured data without its values: elements with different ids, whose parameters have different names, in one order and
 * in the usual notation, `[id name="value" name2="value"][id2]`.
 */
export class StructuredDataShape {
  readonly #elements: readonly ElementShape[];

  /** The shape of `data`. Text in another order or notation does not have it. */
  constructor(data: StructuredData) {
    this.#elements = Object.entries(data).map(([id, parameters]) =>
      elementShape(id, Object.keys(parameters)),
    );
  }

  /** Reads structured data of this shape; undefined: it has another one. The cursor is then unchanged. */
  readAt(message: MessageReader): StructuredData | undefined {
    const start = message.at;
    let data: Record<string, Record<string, AttributeValue>> | undefined;
    for (const element of this.#elements) {
      const parameters = readElement(element, message);
      if (parameters === undefined) {
        message.at = start;
        return undefined;
      }
      data ??= emptyRecord();
      data[element.id] = parameters;
    }
    if (message.peek() !== OPEN_BRACKET) return data;
    // One more element, or a text that begins with a bracket.
    message.at = start;
    return undefined;
  }
}

interface ElementShape {
  readonly id: string;
  /** The names, each with the text before its value. */
  readonly parameters: readonly { readonly name: string; readonly before: Uint8Array }[];
  /** The text after the last value. */
  readonly after: Uint8Array;
}

function elementShape(id: string, names: readonly string[]): ElementShape {
  const parameters = names.map((name, index) => ({
    name,
    before: Buffer.from(index === 0 ? `[${id} ${name}="` : ` ${name}="`),
  }));
  return { id, parameters, after: Buffer.from(names.length === 0 ? `[${id}]` : ']') };
}

function readElement(
  { parameters, after }: ElementShape,
  message: MessageReader,
): Record<string, AttributeValue> | undefined {
  // A shape that does not fit, which the first bytes show, must create no object.
  let values: Record<string, AttributeValue> | undefined;
  for (const { name, before } of parameters) {
    const value = message.skipBytes(before) ? readParameterValue(message) : undefined;
    if (value === undefined) return undefined;
    values ??= emptyRecord();
    values[name] = value;
  }
  return message.skipBytes(after) ? (values ?? emptyRecord()) : undefined;
}
