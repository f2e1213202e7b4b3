import { FieldReader, WIRE_BYTES, writeBytesHeader } from '../../records/wire-fields.ts';

/**
 * Names an entry of the journal and the entry before it. It is the first field of the payload, with a number that the
 * RecordBatch message does not use, so decoders of the message skip it.
 *
 * With it, entries that are on disk but not in the index can be found again after a crash (`recoverEntries`). An entry
 * without a link is valid only if it is in the index.
 */
export interface EntryLink {
  readonly channel: number;
  /** Unique for each attempt to write an entry. */
  readonly id: number;
  /** The id of the entry before it in the log; 0 when an earlier version has written it, or there is none. */
  readonly previous: number;
}

/** Of the RecordBatch message. It must not be used there. */
const LINK_FIELD = 1000;
const LINK_BYTES = 24;
const TAG_BYTES = 3;

export function encodeEntryLink({ channel, id, previous }: EntryLink): Buffer {
  const encoded = Buffer.allocUnsafe(TAG_BYTES + LINK_BYTES);
  const at = writeBytesHeader(encoded, 0, LINK_FIELD, LINK_BYTES);
  encoded.writeDoubleLE(channel, at);
  encoded.writeDoubleLE(id, at + 8);
  encoded.writeDoubleLE(previous, at + 16);
  return encoded;
}

/** The link of an entry's payload; undefined when it has none. */
export function entryLinkOf(payload: Uint8Array): EntryLink | undefined {
  const reader = new FieldReader(payload);
  if (reader.tag() !== LINK_FIELD * 8 + WIRE_BYTES) return undefined;
  const link = reader.slice();
  if (link.length !== LINK_BYTES) return undefined;
  const view = new DataView(link.buffer, link.byteOffset, LINK_BYTES);
  const numberAt = (offset: number) => view.getFloat64(offset, true);
  return { channel: numberAt(0), id: numberAt(8), previous: numberAt(16) };
}
