import duckdb, { type DataChunk } from '@duckdb/node-bindings';

const CELL_BYTES = 16;
const INLINE_BYTES = 12;
const LENGTH_BYTES = 4;
const POINTER_OFFSET = 8;
const VALIDITY_WORD_BYTES = 8;

/**
 * The texts of one column of a result chunk, each exactly as stored; null: the value is null.
 *
 * `@duckdb/node-api` decodes texts with a `TextDecoder` that removes a leading U+FEFF. A stored text must not
 * lose a character, so this module reads the cells itself. `row-chunk.ts` describes their format.
 */
export function textCells(chunk: DataChunk, column: number): readonly (string | null)[] {
  const rows = duckdb.data_chunk_get_size(chunk);
  const vector = duckdb.data_chunk_get_vector(chunk, column);
  const { buffer, byteOffset, byteLength } = duckdb.vector_get_data(vector, rows * CELL_BYTES);
  const view = new DataView(buffer as ArrayBuffer, byteOffset, byteLength);
  // A missing bitmap means that every value is valid.
  const validity: Uint8Array | null = duckdb.vector_get_validity(vector, validityBytes(rows));
  return Array.from({ length: rows }, (_, row) =>
    validity === null || isValid(validity, row) ? textAt(view, row * CELL_BYTES) : null,
  );
}

function textAt(view: DataView<ArrayBuffer>, offset: number): string {
  const length = view.getUint32(offset, true);
  const begin = view.byteOffset + offset;
  if (length <= INLINE_BYTES) return decoded(new Uint8Array(view.buffer, begin + LENGTH_BYTES, length));
  return decoded(duckdb.get_data_from_pointer(view.buffer, begin + POINTER_OFFSET, length));
}

function decoded({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
}

function validityBytes(rows: number): number {
  return Math.ceil(rows / 64) * VALIDITY_WORD_BYTES;
}

function isValid(validity: Uint8Array, row: number): boolean {
  return ((validity[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
}
