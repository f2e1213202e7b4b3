import { BinaryReader, type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { OtlpFault } from './otlp-fault.ts';

/** A field that is a message, a text or bytes. */
export interface MessageField {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/**
 * The fields with a length of a protobuf message, without a copy. Each is inside the message, other than in the generated
 * decoder. Fields of other types are skipped. Throws an OtlpFault when the bytes are not a message.
 */
export function* messageFields(message: Uint8Array, known: readonly number[]): Generator<MessageField> {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const field = nextField(reader, known);
    if (field !== undefined) yield field;
  }
}

function nextField(reader: BinaryReader, known: readonly number[]): MessageField | undefined {
  try {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) return { number, bytes: reader.bytes() };
    if (!known.includes(number)) return void reader.skip(type, number);
  } catch {
    throw new OtlpFault('The body is not a valid protobuf message: it is truncated or damaged.');
  }
  throw new OtlpFault('The body is not a valid export request: a field has the wrong type.');
}

/** Writes a field that is a message, a text or bytes. */
export function writeField(writer: BinaryWriter, number: number, bytes: Uint8Array): BinaryWriter {
  return writer.tag(number, WireType.LengthDelimited).bytes(bytes);
}
