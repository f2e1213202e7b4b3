import type { ParsedRecord } from '../../records/log-record.ts';
import type { Position } from '../../records/position.ts';
import { forEachRecord, type RecordBatch } from '../../records/record-batch.ts';
import type { RecordContext } from '../../records/record-context.ts';
import type { Format } from '../format.ts';
import { ENCODING, INVALID_UTF8 } from '../marker-attributes.ts';
import { type TextEncoding, textEncoding } from './text-encoding.ts';

/** The encoding of the records of a batch; undefined: UTF-8, as nearly always. */
export function batchEncoding({ resource }: Pick<RecordBatch, 'resource'>): TextEncoding | undefined {
  const name = resource.get(ENCODING);
  return name === undefined ? undefined : textEncoding(name);
}

/** Parses a record that is in another encoding than UTF-8. */
export function parseEncoded(
  encoding: TextEncoding,
  format: Format,
  { bytes, position, context }: EncodedRecord,
): ParsedRecord {
  if (encoding.isUtf8(bytes)) return format.parse(bytes, context);
  const { text, valid } = encoding.decode(bytes, position);
  const parsed = format.parse(Buffer.from(text), context);
  if (valid) return parsed;
  return { ...parsed, attributes: new Map(parsed.attributes).set(INVALID_UTF8, true) };
}

interface EncodedRecord {
  readonly bytes: Uint8Array;
  readonly position: Position;
  readonly context: RecordContext;
}

/**
 * The same records in UTF-8, for outputs that write the bytes of records as text. Their sizes are others, so positions
 * of the result mean nothing.
 */
export function inUtf8(batch: RecordBatch): RecordBatch {
  const encoding = batchEncoding(batch);
  if (encoding === undefined) return batch;
  const parts: Uint8Array[] = [];
  forEachRecord(batch, (bytes, _index, position) => {
    parts.push(encoding.isUtf8(bytes) ? bytes : Buffer.from(encoding.decode(bytes, position).text));
  });
  const resource = new Map(batch.resource);
  resource.delete(ENCODING);
  return {
    ...batch,
    resource,
    sizes: Uint32Array.from(parts, ({ length }) => length),
    data: Buffer.concat(parts),
  };
}
