import { ERROR_CODE } from './error-codes.ts';
import type { Header, HeaderList } from './header-list.ts';
import { entryBytes, HpackTable } from './hpack-table.ts';
import { Http2Error } from './http2-error.ts';
import { decodeHuffman } from './huffman-decoder.ts';

/** The size that this side permits to the encoder of the peer: the default of the protocol. */
const TABLE_BYTES = 4096;
/** Larger integers are an error. All lengths and indices of a valid block are smaller. */
const MAX_INTEGER = 2 ** 24;
/** At the beginning of a block. More than two have no meaning. */
const MAX_SIZE_UPDATES = 2;

/** Reads header blocks (RFC 7541). After an error, the connection cannot continue: both sides share the table. */
export class HpackDecoder {
  readonly #table: HpackTable;
  readonly #tableBytes: number;
  readonly #maxListBytes: number;
  #block: Uint8Array = Buffer.alloc(0);
  #at = 0;

  constructor(maxListBytes: number, tableBytes: number = TABLE_BYTES) {
    this.#table = new HpackTable(tableBytes);
    this.#tableBytes = tableBytes;
    this.#maxListBytes = maxListBytes;
  }

  /** Throws `Http2Error`. */
  decode(block: Uint8Array): HeaderList {
    this.#block = block;
    this.#at = 0;
    this.#readSizeUpdates();
    const list: Header[] = [];
    let bytes = 0;
    while (this.#at < block.length) {
      const header = this.#readHeader();
      bytes += entryBytes(header);
      if (bytes > this.#maxListBytes) throw tooLarge(this.#maxListBytes);
      list.push(header);
    }
    return list;
  }

  #readSizeUpdates(): void {
    for (let count = 0; ((this.#block[this.#at] ?? 0) & 0xe0) === 0x20; count++) {
      const bytes = this.#readInteger(5);
      if (bytes > this.#tableBytes || count === MAX_SIZE_UPDATES) throw invalid('a size of its table');
      this.#table.resize(bytes);
    }
  }

  #readHeader(): Header {
    const first = this.#block[this.#at] ?? 0;
    if ((first & 0x80) !== 0) return this.#entry(this.#readInteger(7));
    if ((first & 0x40) !== 0) {
      const header = this.#readLiteral(6);
      this.#table.add(header);
      return header;
    }
    if ((first & 0x20) !== 0) throw invalid('a size of its table after a header');
    // Without indexing, or never indexed.
    return this.#readLiteral(4);
  }

  #readLiteral(prefixBits: number): Header {
    const index = this.#readInteger(prefixBits);
    const name = index === 0 ? this.#readString() : this.#entry(index)[0];
    return [name, this.#readString()];
  }

  #entry(index: number): Header {
    const entry = this.#table.at(index);
    if (entry === undefined) throw invalid(`the index ${index}`);
    return entry;
  }

  #readString(): string {
    const isHuffman = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const start = this.#at;
    const length = this.#readInteger(7);
    const bytes = this.#block.subarray(this.#at, this.#at + length);
    if (start >= this.#block.length || bytes.length < length) throw invalid('a text that is cut off');
    this.#at += length;
    if (!isHuffman) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const text = decodeHuffman(bytes, this.#maxListBytes);
    if (text === undefined) throw invalid('an invalid Huffman code');
    return text;
  }

  #readInteger(prefixBits: number): number {
    const mask = 2 ** prefixBits - 1;
    let value = (this.#block[this.#at++] ?? 0) & mask;
    if (value < mask) return value;
    for (let factor = 1; factor <= MAX_INTEGER; factor *= 128) {
      const byte = this.#block[this.#at++];
      if (byte === undefined) throw invalid('an integer that is cut off');
      value += (byte & 0x7f) * factor;
      if (value > MAX_INTEGER) break;
      if (byte < 0x80) return value;
    }
    throw invalid('an integer that is too large');
  }
}

function invalid(what: string): Http2Error {
  return new Http2Error(ERROR_CODE.compressionError, `the headers contain ${what}`);
}

function tooLarge(maxBytes: number): Http2Error {
  return new Http2Error(
    ERROR_CODE.enhanceYourCalm,
    `the headers of a call exceed ${Math.round(maxBytes / 1024)} KiB`,
  );
}
