import { PushFault } from './push-fault.ts';

/**
 * Inflates a block in the format of Snappy. Throws a PushFault when it is damaged. `undefined`: it would inflate to more
 * than `maxBytes`.
 */
export function inflateSnappy(block: Uint8Array, maxBytes: number): Buffer | undefined {
  const input = new SnappyInput(block);
  const size = input.size();
  if (size > maxBytes) return undefined;
  // A copy of 64 bytes needs 3 bytes, so a small block with a large size is damaged.
  if (size > block.length * 64) throw damaged();
  const output = Buffer.alloc(size);
  let at = 0;
  while (!input.isAtEnd) {
    const tag = input.byte();
    if ((tag & 3) === 0) {
      const literal = input.literal(tag >> 2);
      if (at + literal.length > size) throw damaged();
      output.set(literal, at);
      at += literal.length;
      continue;
    }
    const { length, offset } = input.copy(tag);
    if (offset === 0 || offset > at || at + length > size) throw damaged();
    at = copyWithin(output, at, offset, length);
  }
  if (at !== size) throw damaged();
  return output;
}

/** The ranges may overlap: then the bytes repeat. */
function copyWithin(output: Buffer, at: number, offset: number, length: number): number {
  if (offset >= length) output.copyWithin(at, at - offset, at - offset + length);
  else for (let index = at; index < at + length; index++) output[index] = output[index - offset] ?? 0;
  return at + length;
}

class SnappyInput {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw damaged();
    return byte;
  }

  /** A variable-length integer of at most 32 bits. */
  size(): number {
    let size = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return size;
    }
    throw damaged();
  }

  /** A literal. From 60 on, `code` is the number of bytes of the length, and 59. */
  literal(code: number): Uint8Array {
    const length = (code < 60 ? code : this.#number(code - 59)) + 1;
    const end = this.#at + length;
    if (end > this.#bytes.length) throw damaged();
    const literal = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return literal;
  }

  copy(tag: number): { readonly length: number; readonly offset: number } {
    if ((tag & 3) === 1) return { length: 4 + ((tag >> 2) & 7), offset: ((tag >> 5) << 8) | this.byte() };
    return { length: 1 + (tag >> 2), offset: this.#number((tag & 3) === 2 ? 2 : 4) };
  }

  #number(bytes: number): number {
    let number = 0;
    for (let index = 0; index < bytes; index++) number += this.byte() * 2 ** (8 * index);
    return number;
  }
}

function damaged(): PushFault {
  return new PushFault('The body is not a valid block of Snappy.');
}
