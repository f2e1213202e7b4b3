/**
 * Decodes the Huffman code of HPACK (RFC 7541, appendix B) as Latin-1. undefined: the bytes are invalid, or the text is longer than
 * `limit`.
 *
 * The code is canonical: the codes of one length are consecutive numbers, in the order of their symbols, and follow those of
 * the lengths before. So the lengths of the codes are the whole table.
 */
export function decodeHuffman(bytes: Uint8Array, limit: number): string | undefined {
  const text = Buffer.allocUnsafe(Math.min(limit, Math.floor((bytes.length * 8) / SHORTEST_BITS)));
  let written = 0;
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      const symbol = symbolOf(code, length);
      if (symbol === undefined) continue;
      if (symbol === END_OF_STRING || written === text.length) return undefined;
      text[written++] = symbol;
      code = 0;
      length = 0;
    }
  }
  // The rest is padding: the most significant bits of the code of the end, which are ones.
  return length <= 7 && code === 2 ** length - 1 ? text.toString('latin1', 0, written) : undefined;
}

/** undefined: the code is longer. */
function symbolOf(code: number, length: number): number | undefined {
  const index = code - (FIRST_CODE[length] ?? 0);
  return index < (COUNT[length] ?? 0) ? SYMBOLS[(FIRST_SYMBOL[length] ?? 0) + index] : undefined;
}

const END_OF_STRING = 256;
const SHORTEST_BITS = 5;
const LONGEST_BITS = 30;

/** The length of the code of each byte, and of the end. */
// biome-ignore format: a table
const CODE_BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

/** The symbols in the order of their codes. */
const SYMBOLS: Uint16Array = Uint16Array.from(
  CODE_BITS.map((bits, symbol) => ({ bits, symbol }))
    .sort((a, b) => a.bits - b.bits || a.symbol - b.symbol)
    .map(({ symbol }) => symbol),
);
const COUNT = new Uint16Array(LONGEST_BITS + 1);
const FIRST_CODE = new Uint32Array(LONGEST_BITS + 1);
const FIRST_SYMBOL = new Uint16Array(LONGEST_BITS + 1);
for (const bits of CODE_BITS) COUNT[bits] = (COUNT[bits] ?? 0) + 1;
for (let bits = 1; bits <= LONGEST_BITS; bits++) {
  const before = COUNT[bits - 1] ?? 0;
  FIRST_CODE[bits] = ((FIRST_CODE[bits - 1] ?? 0) + before) * 2;
  FIRST_SYMBOL[bits] = (FIRST_SYMBOL[bits - 1] ?? 0) + before;
}
