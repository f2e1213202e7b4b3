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

/**
 * Calls `visit` with the bytes `[start, end)` of each text of one column. A call into the native library costs more
 * than reading a line, so texts that follow each other in memory are read as one block.
 */
export function visitTexts(chunk: DataChunk, column: number, visit: VisitText): void {
  const rows = duckdb.data_chunk_get_size(chunk);
  const vector = duckdb.data_chunk_get_vector(chunk, column);
  const { buffer, byteOffset, byteLength } = duckdb.vector_get_data(vector, rows * CELL_BYTES);
  const cells = new DataView(buffer as ArrayBuffer, byteOffset, byteLength);
  const validity: Uint8Array | null = duckdb.vector_get_validity(vector, validityBytes(rows));
  let block: Block | undefined;
  for (let row = 0; row < rows; row++) {
    if (validity !== null && !isValid(validity, row)) continue;
    const at = row * CELL_BYTES;
    const length = cells.getUint32(at, true);
    if (length <= INLINE_BYTES) {
      const begin = byteOffset + at + LENGTH_BYTES;
      visit(new Uint8Array(cells.buffer), begin, begin + length);
      continue;
    }
    const address = addressAt(cells, at);
    if (block === undefined || !isNext(block, address)) {
      if (block !== undefined) visitBlock(cells, block, visit);
      block = { at, address, end: address, starts: [], ends: [] };
    }
    block.starts.push(address - block.address);
    block.end = address + length;
    block.ends.push(block.end - block.address);
  }
  if (block !== undefined) visitBlock(cells, block, visit);
}

export type VisitText = (bytes: Uint8Array, start: number, end: number) => void;

/** Texts that follow each other in memory. */
interface Block {
  /** The cell of the first one. */
  readonly at: number;
  readonly address: number;
  end: number;
  readonly starts: number[];
  readonly ends: number[];
}

/** DuckDB aligns texts. Such a gap is in the memory of the text before it, or of the one after it. */
const MAX_GAP_BYTES = 8;

function isNext({ end }: Block, address: number): boolean {
  return address >= end && address - end < MAX_GAP_BYTES;
}

function visitBlock(
  cells: DataView<ArrayBuffer>,
  { at, address, end, starts, ends }: Block,
  visit: VisitText,
): void {
  const pointer = cells.byteOffset + at + POINTER_OFFSET;
  const bytes = duckdb.get_data_from_pointer(cells.buffer, pointer, end - address);
  for (let index = 0; index < starts.length; index++)
    visit(bytes, starts[index] as number, ends[index] as number);
}

function addressAt(cells: DataView, at: number): number {
  return (
    cells.getUint32(at + POINTER_OFFSET + 4, true) * 2 ** 32 + cells.getUint32(at + POINTER_OFFSET, true)
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
