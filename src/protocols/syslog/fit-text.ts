/**
 * Splits the text into pieces of at most `maxBytes`, never inside a character. `split` marks each piece with
 * its number (` [2/3]`); the pieces without these marks are the text. `truncate` returns one piece, with a
 * mark of the missing bytes.
 */
export function fitText(text: string, maxBytes: number, how: LongText): FittedText {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return { parts: [bytes], missingBytes: 0 };
  return how === 'split' ? split(bytes, maxBytes) : truncate(bytes, maxBytes);
}

/** The handling of a text that is too long for one message. */
export type LongText = 'split' | 'truncate';

export interface FittedText {
  /** One for each message; UTF-8, none longer than requested. */
  readonly parts: readonly Uint8Array[];
  /** Number of bytes that are in none of them. */
  readonly missingBytes: number;
}

/** The number of digits of the piece count is known only after the cut. */
function split(bytes: Buffer, maxBytes: number): FittedText {
  for (let digits = 1; ; digits++) {
    const pieces = cut(bytes, maxBytes - ` [/]`.length - 2 * digits);
    const total = pieces.length;
    if (String(total).length > digits) continue;
    const parts = pieces.map((piece, index) => marked(piece, ` [${index + 1}/${total}]`));
    return { parts, missingBytes: 0 };
  }
}

function truncate(bytes: Buffer, maxBytes: number): FittedText {
  const longestMark = truncationMark(bytes.length);
  const kept = boundary(bytes, maxBytes - longestMark.length);
  const missingBytes = bytes.length - kept;
  return { parts: [marked(bytes.subarray(0, kept), truncationMark(missingBytes))], missingBytes };
}

function truncationMark(missingBytes: number): string {
  return ` [truncated ${missingBytes} bytes]`;
}

function marked(piece: Buffer, mark: string): Buffer {
  return Buffer.concat([piece, Buffer.from(mark)]);
}

function cut(bytes: Buffer, pieceBytes: number): Buffer[] {
  // Any character fits into this size; with less there would be no end.
  if (pieceBytes < LONGEST_CHARACTER)
    throw new RangeError(
      `the size of a piece must be at least ${LONGEST_CHARACTER} bytes, got ${pieceBytes}`,
    );
  const pieces: Buffer[] = [];
  let from = 0;
  while (from < bytes.length) {
    const to = boundary(bytes, from + pieceBytes);
    pieces.push(bytes.subarray(from, to));
    from = to;
  }
  return pieces;
}

const LONGEST_CHARACTER = 4;

/** The last offset up to `limit` at which a character begins. */
function boundary(bytes: Buffer, limit: number): number {
  let place = Math.min(limit, bytes.length);
  while (place > 0 && isContinuation(bytes[place])) place--;
  return place;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
