import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { messageFields, writeField } from './message-fields.ts';

/** No field of OpenTelemetry: other decoders of `LogRecord` skip it. */
const CONTEXT = 15_000;

/**
 * A log record with its resource and scope in a field of its own, for a context that is too large to be an attribute of
 * the sender.
 */
export function embedContext(record: Uint8Array, context: Uint8Array): Uint8Array {
  return Buffer.concat([record, writeField(new BinaryWriter(), CONTEXT, context).finish()]);
}

/** Returns what `embedContext` added; undefined: nothing. Throws an OtlpFault for damaged bytes. */
export function embeddedContext(record: Uint8Array): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  for (const { number, bytes } of messageFields(record, [])) if (number === CONTEXT) found = bytes;
  return found;
}
