/** Splits a payload into chunks of the full size, except the last. It must be within `chunkCapacity`. */
export function splitIntoChunks(payload: Uint8Array, datagramBytes: number, id: Uint8Array): Uint8Array[] {
  const dataBytes = datagramBytes - CHUNK_HEADER_BYTES;
  const count = Math.ceil(payload.length / dataBytes);
  if (count > MAX_CHUNKS) throw new RangeError(`${payload.length} bytes need ${count} chunks`);
  const chunks: Uint8Array[] = [];
  for (let sequence = 0; sequence < count; sequence++) {
    const data = payload.subarray(sequence * dataBytes, (sequence + 1) * dataBytes);
    const chunk = new Uint8Array(CHUNK_HEADER_BYTES + data.length);
    chunk[0] = 0x1e;
    chunk[1] = 0x0f;
    chunk.set(id, 2);
    chunk[10] = sequence;
    chunk[11] = count;
    chunk.set(data, CHUNK_HEADER_BYTES);
    chunks.push(chunk);
  }
  return chunks;
}

/**
 * Chunks of a message that is too long for one datagram:
 *
 *     1e 0f | id: 8 bytes | sequence: 1 byte, from 0 | count: 1 byte, 1 to 128 | data
 *
 * A receiver collects chunks only by their id, in any order and from any sender, and waits 5 s for the last.
 * So ids must be random.
 */
export const CHUNK_HEADER_BYTES = 12;
export const MAX_CHUNKS = 128;
export const CHUNK_ID_BYTES = 8;

/** Maximum payload of 128 chunks in datagrams of this size. */
export function chunkCapacity(datagramBytes: number): number {
  return MAX_CHUNKS * (datagramBytes - CHUNK_HEADER_BYTES);
}
