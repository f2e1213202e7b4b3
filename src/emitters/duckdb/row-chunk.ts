import duckdb, { type DataChunk, type LogicalType } from '@duckdb/node-bindings';

export class RowChunk {
  readonly chunk: DataChunk;
  readonly #columns: readonly FilledColumn[];
  #texts: string[] = [];
  #characters = 0;
  #heap = Buffer.alloc(0);
  /** The bytes at the beginning of the heap that `hold` and `room` have reserved. */
  #held = 0;
  /** The offset and length of each text in the heap. */
  #offsets = new Uint32Array(0);
  #lengths = new Uint32Array(0);
  #row = -1;

  constructor(types: readonly LogicalType[], layout: readonly ChunkColumn[]) {
    this.chunk = duckdb.create_data_chunk(types);
    this.#columns = layout.map(emptyColumn);
  }

  get rows(): number {
    return this.#row + 1;
  }

  get isFull(): boolean {
    return this.#row === CHUNK_ROWS - 1 || this.#characters + this.#held >= FULL_CHARACTERS;
  }

  clear(): void {
    duckdb.data_chunk_reset(this.chunk);
    for (const column of this.#columns) {
      if (column.hasNulls) column.validity.fill(0xff);
      column.hasNulls = false;
      column.lastText = undefined;
    }
    this.#texts = [];
    this.#characters = 0;
    this.#held = 0;
    this.#row = -1;
  }

  /** Starts a new row; each of its columns has to be set once. */
  nextRow(): void {
    this.#row++;
  }

  setNull(column: number): void {
    const filled = this.#column(column);
    const index = this.#row >> 3;
    filled.validity[index] = (filled.validity[index] ?? 0) & ~(1 << (this.#row & 7));
    filled.hasNulls = true;
    filled.texts[this.#row] = NO_TEXT;
    filled.lengths[this.#row] = 0;
  }

  setInt16(column: number, value: number): void {
    this.#column(column).shorts[this.#row] = value;
  }

  /** An integer up to 2^53. */
  setInt64(column: number, value: number): void {
    const { words } = this.#column(column);
    words[this.#row * 2] = value >>> 0;
    words[this.#row * 2 + 1] = Math.floor(value / TWO_32);
  }

  /** 16 bytes as four words, the lowest first. */
  setInt128(column: number, value: Uint32Array): void {
    const { words } = this.#column(column);
    const at = this.#row * CELL_WORDS;
    for (let word = 0; word < CELL_WORDS; word++) words[at + word] = value[word] as number;
  }

  /** Copies bytes to the heap; they must be valid UTF-8. Returns their offset for `setHeld`. */
  hold(bytes: Uint8Array): number {
    const offset = this.#held;
    this.room(bytes.length).set(bytes, offset);
    this.#held = offset + bytes.length;
    return offset;
  }

  /** The offset of the next held byte. */
  get held(): number {
    return this.#held;
  }

  /** The heap, with room for this number of bytes from `held` on. The caller then sets the end. */
  room(bytes: number): Uint8Array {
    const needed = this.#held + bytes;
    if (this.#heap.length < needed) {
      const larger = Buffer.alloc(Math.max(needed, this.#heap.length * 2));
      this.#heap.copy(larger, 0, 0, this.#held);
      this.#heap = larger;
    }
    return this.#heap;
  }

  /** Ends what was written to `room`. */
  holdTo(end: number): void {
    this.#held = end;
  }

  /** A text that is on the heap already. */
  setHeld(column: number, offset: number, length: number): void {
    const filled = this.#column(column);
    filled.texts[this.#row] = HELD;
    filled.starts[this.#row] = offset;
    filled.lengths[this.#row] = length;
  }

  setText(column: number, text: string): void {
    const filled = this.#column(column);
    if (filled.lastText !== text) {
      filled.lastText = text;
      filled.lastIndex = this.#texts.length;
      this.#texts.push(text);
      this.#characters += text.length;
    }
    filled.texts[this.#row] = filled.lastIndex;
  }

  /** Completes the data chunk: after this it can be appended, and then has to be cleared. */
  finish(): void {
    const { chunk, rows } = this;
    this.#writeTexts();
    this.#columns.forEach((column, index) => {
      const vector = duckdb.data_chunk_get_vector(chunk, index);
      const { words, validity } = column;
      duckdb.copy_data_to_vector(vector, 0, words.buffer, words.byteOffset, rows * column.cellBytes);
      if (!column.hasNulls) return;
      duckdb.vector_ensure_validity_writable(vector);
      duckdb.copy_data_to_vector_validity(
        vector,
        0,
        validity.buffer,
        validity.byteOffset,
        Math.ceil(rows / 8),
      );
    });
    duckdb.data_chunk_set_size(chunk, rows);
  }

  #column(index: number): FilledColumn {
    return this.#columns[index] as FilledColumn;
  }

  #writeTexts(): void {
    const bytes = this.#fillHeap();
    const textColumns = this.#columns.filter(({ isText }) => isText);
    const [lender] = textColumns;
    if (lender === undefined) return;
    const vector = duckdb.data_chunk_get_vector(this.chunk, this.#columns.indexOf(lender));
    // Longer than the inline text of a cell, so that the cell has a pointer.
    duckdb.vector_assign_string_element_len(vector, 0, this.#heap.subarray(0, Math.max(bytes, CELL_BYTES)));
    const cell = duckdb.vector_get_data(vector, CELL_BYTES);
    const view = new DataView(cell.buffer, cell.byteOffset, CELL_BYTES);
    const address = { low: view.getUint32(8, true), high: view.getUint32(12, true) };
    for (const column of textColumns) this.#makeCells(column, address);
  }

  /** Writes the texts after the held bytes, one after another; returns the size of all in bytes. */
  #fillHeap(): number {
    const texts = this.#texts;
    this.room(this.#characters * BYTES_PER_UNIT + CELL_BYTES);
    if (this.#offsets.length < texts.length) {
      this.#offsets = new Uint32Array(texts.length * 2);
      this.#lengths = new Uint32Array(texts.length * 2);
    }
    const written = this.#heap.write(texts.join(''), this.#held);
    // As many bytes as UTF-16 units: each unit is one byte, so offsets are known without another pass.
    const isAscii = written === this.#characters;
    let offset = this.#held;
    for (let index = 0; index < texts.length; index++) {
      const text = texts[index] as string;
      const length = isAscii ? text.length : this.#heap.write(text, offset);
      this.#offsets[index] = offset;
      this.#lengths[index] = length;
      offset += length;
    }
    this.#heap.fill(0, offset, offset + CELL_BYTES);
    return offset;
  }

  #makeCells({ words, texts, starts, lengths }: FilledColumn, address: Address): void {
    const heap = new DataView(this.#heap.buffer, this.#heap.byteOffset, this.#heap.length);
    for (let row = 0, at = 0; row <= this.#row; row++, at += CELL_WORDS) {
      const index = texts[row] as number;
      if (row > 0 && index !== HELD && index === texts[row - 1]) {
        repeatCell(words, at);
        continue;
      }
      const isText = index >= 0;
      const offset = (isText ? this.#offsets[index] : starts[row]) as number;
      const length = (isText ? this.#lengths[index] : lengths[row]) as number;
      words[at] = length;
      if (length > INLINE_BYTES) {
        const low = address.low + offset;
        words[at + 1] = heap.getUint32(offset, true);
        words[at + 2] = low;
        words[at + 3] = low >= TWO_32 ? address.high + 1 : address.high;
      } else {
        words[at + 1] = shortWord(heap, offset, length);
        words[at + 2] = shortWord(heap, offset + 4, length - 4);
        words[at + 3] = shortWord(heap, offset + 8, length - 8);
      }
    }
  }
}

/**
 * A buffer of up to 2,048 rows for DuckDB: the columns of one data chunk, which is filled, appended and
 * filled again.
 *
 * A call into the native library costs as much as copying a line, so there is no call for a single row:
 * columns are filled here, in DuckDB's own format, and copied as a whole. A text is a cell (`duckdb_string_t`
 * of its C API):
 *
 *     length | up to 12 bytes of text                      a short text is in its cell
 *     length | its first 4 bytes | pointer to all of it    a longer one is elsewhere
 *
 * While rows are added, texts are only noted. When the chunk is finished, one call writes all of them into
 * one buffer, the heap. DuckDB gets the heap as the text of a single cell, which then contains its address in
 * DuckDB's memory; the cells are made from this address. Appending copies the texts to their final place.
 *
 * Texts that are bytes already (`hold`) are copied to the beginning of the heap, and their cells can be any parts of
 * them: the body of a line and its fields share the same bytes.
 *
 *     texts   ['GET /a ..', '{"url.query":..', ..]        each once; columns often repeat the text of the row before
 *     heap    GET /a ..{"url.query":..                     cell  | 17 | GET  | address of the heap + offset |
 *
 * docs/decisions/0014-text-cells-with-computed-pointers.md explains why these pointers are valid.
 *
 * LIMITS. A chunk is full when its texts have 4 Mi characters; one more row (some MiB at most) may exceed
 * this.
 */
export const CHUNK_ROWS = 2048;

const FULL_CHARACTERS = 4 * 1024 * 1024;
const CELL_WORDS = 4;
const CELL_BYTES = 16;
const INLINE_BYTES = 12;
const TWO_32 = 2 ** 32;
/** Maximum number of UTF-8 bytes for one UTF-16 unit. */
const BYTES_PER_UNIT = 3;
const NO_TEXT = -1;
/** In place of the index of a text: the text is on the heap already. */
const HELD = -2;

export interface ChunkColumn {
  readonly cellBytes: 2 | 8 | 16;
  readonly isText: boolean;
}

interface FilledColumn extends ChunkColumn {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly shorts: Int16Array;
  /** For texts: the index of the text of each row. */
  readonly texts: Int32Array;
  /** For texts on the heap: where they are. */
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** A bit for each row: the value is not null. */
  readonly validity: Uint8Array<ArrayBuffer>;
  hasNulls: boolean;
  lastText: string | undefined;
  lastIndex: number;
}

/** The address of the heap in DuckDB's memory. */
interface Address {
  readonly low: number;
  readonly high: number;
}

/** Writes the cell before `at` again. */
function repeatCell(words: Uint32Array, at: number): void {
  for (let word = at; word < at + CELL_WORDS; word++) words[word] = words[word - CELL_WORDS] as number;
}

/** Up to four bytes; bytes after the end of the text are zero, since cells are compared as they are. */
function shortWord(heap: DataView, offset: number, length: number): number {
  if (length <= 0) return 0;
  const word = heap.getUint32(offset, true);
  return length >= 4 ? word : word & (2 ** (length * 8) - 1);
}

function emptyColumn(column: ChunkColumn): FilledColumn {
  const cells = new ArrayBuffer(CHUNK_ROWS * column.cellBytes);
  return {
    ...column,
    words: new Uint32Array(cells),
    shorts: new Int16Array(cells),
    texts: new Int32Array(CHUNK_ROWS),
    starts: new Int32Array(CHUNK_ROWS),
    lengths: new Int32Array(CHUNK_ROWS),
    validity: new Uint8Array(CHUNK_ROWS / 8).fill(0xff),
    hasNulls: false,
    lastText: undefined,
    lastIndex: 0,
  };
}
