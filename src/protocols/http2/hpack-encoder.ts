import type { Header, HeaderList } from './header-list.ts';
import { STATIC_TABLE } from './hpack-static-table.ts';

/**
 * Writes header blocks with the static table and literals. A call has few headers, so a dynamic table and the Huffman code
 * would cost more than they save. The first block sets the size of the dynamic table to 0, which stays valid for any
 * setting of the peer.
 */
export class HpackEncoder {
  #isFirst = true;

  encode(headers: HeaderList): Buffer {
    const bytes: number[] = this.#isFirst ? [TABLE_SIZE_0] : [];
    this.#isFirst = false;
    for (const header of headers) writeHeader(bytes, header);
    return Buffer.from(bytes);
  }
}

const TABLE_SIZE_0 = 0x20;

function writeHeader(bytes: number[], [name, value]: Header): void {
  const indices = STATIC_INDICES.get(name);
  const index = indices?.get(value);
  if (index !== undefined) {
    writeInteger(bytes, 0x80, 7, index);
    return;
  }
  const [nameIndex = 0] = indices?.values() ?? [];
  writeInteger(bytes, 0x00, 4, nameIndex);
  if (nameIndex === 0) writeString(bytes, name);
  writeString(bytes, value);
}

function writeString(bytes: number[], text: string): void {
  const encoded = Buffer.from(text, 'latin1');
  writeInteger(bytes, 0x00, 7, encoded.length);
  for (const byte of encoded) bytes.push(byte);
}

function writeInteger(bytes: number[], pattern: number, prefixBits: number, value: number): void {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) {
    bytes.push(pattern | value);
    return;
  }
  bytes.push(pattern | mask);
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
}

/** Name, value, index. */
const STATIC_INDICES: ReadonlyMap<string, ReadonlyMap<string, number>> = staticIndices();

function staticIndices(): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const indices = new Map<string, Map<string, number>>();
  for (const [at, [name, value]] of STATIC_TABLE.entries()) {
    const values = indices.get(name) ?? new Map<string, number>();
    values.set(value, at + 1);
    indices.set(name, values);
  }
  return indices;
}
