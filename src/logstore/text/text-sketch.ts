/**
 * A sketch of the texts of some records: a Bloom filter with one bit for each sequence of five bytes (a *gram*) in
 * their lower-case texts. If a text has a gram whose bit is not set, none of the records contains the text. So a search
 * for a rare text reads only the few records whose sketch has all of its bits.
 *
 *     body      GET /a?request=42           grams   get /  et /a  t /a?  ...  est=4  st=42
 *     search    request=42                  grams   reque  eques  ...  est=4  st=42
 *
 * A sketch never excludes a record that contains the text: the store converts bodies to lower case in the same way as
 * the condition of its search. A search uses only the parts of its text that are ASCII, because they have the same
 * lower-case form in every database, before and after any other character.
 *
 * A sketch is stored in pages, so that a search reads only those with the bits of its grams.
 */
export class TextSketch {
  readonly #bytes = new Uint8Array(SKETCH_BITS / 8);

  /** Adds the grams of a text in lower case: the bytes `[start, end)`, in UTF-8. */
  add(bytes: Uint8Array, start: number, end: number): void {
    const bits = this.#bytes;
    // Always the last four bytes; the oldest one is the lowest.
    let word = 0;
    for (let at = start; at < end; at++) {
      const first = word & 0xff;
      word = (word >>> 8) | ((bytes[at] as number) << 24);
      if (at - start < GRAM_BYTES - 1) continue;
      const bit = bitOf(first, word);
      bits[bit >>> 3] = (bits[bit >>> 3] as number) | (0x80 >>> (bit & 7));
    }
  }

  /** The bits of one page; the first bit is the highest one of the first byte. */
  page(page: number): Uint8Array {
    return this.#bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  }

  /** The part of the bits that is set, from 0 to 1. */
  get density(): number {
    return this.#bytes.reduce((sum, byte) => sum + (ONES[byte] as number), 0) / SKETCH_BITS;
  }

  clear(): void {
    this.#bytes.fill(0);
  }
}

/** The place of a bit in a sketch. */
export interface SketchBit {
  readonly page: number;
  /** From 0, within the page. */
  readonly bit: number;
}

/** The bits that a sketch has if it covers a record with this text; none: any record may have it. */
export function sketchBits(text: string): readonly SketchBit[] {
  const bits = new Set<number>();
  for (const [part] of text.matchAll(ASCII)) {
    const bytes = Buffer.from(part.toLowerCase(), 'latin1');
    for (let at = GRAM_BYTES; at <= bytes.length && bits.size < MAX_GRAMS; at++) {
      bits.add(bitOf(bytes[at - GRAM_BYTES] as number, bytes.readInt32LE(at - GRAM_BYTES + 1)));
    }
  }
  return [...bits].map((bit) => ({ page: Math.floor(bit / PAGE_BITS), bit: bit % PAGE_BITS }));
}

export const SKETCH_PAGES = 64;

const GRAM_BYTES = 5;
/**
 * 128 KiB for some 60,000 records. Access logs have some 110,000 different grams in them, which set a tenth of the bits.
 */
const SKETCH_BITS = 2 ** 20;
const BIT_SHIFT = 12;
const PAGE_BITS = SKETCH_BITS / SKETCH_PAGES;
const PAGE_BYTES = PAGE_BITS / 8;
/** More grams make a search slower, and exclude hardly any more records. */
const MAX_GRAMS = 48;

/** Without control characters, which searches hardly ever have. */
const ASCII = /[ -~]+/g;

/** The number of ones in each byte. */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

/** The number of the bit of a gram: its first byte, and the four bytes after it. Stored sketches depend on it. */
function bitOf(first: number, word: number): number {
  return Math.imul(word ^ Math.imul(first + 1, 0x9e3779b1), 0x85ebca6b) >>> BIT_SHIFT;
}
