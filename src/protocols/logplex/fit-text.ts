/**
 * The text in pieces of at most `maxBytes`, never cut inside a character. `split` marks each piece with its
 * number (` [2/3]`), so that the text is all of them without these marks; `truncate` marks the only one with
 * what is missing.
 */
export function fitText(text: string, maxBytes: number, how: LongText): FittedText {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return { parts: [bytes], missingBytes: 0 };
  return how === 'split' ? split(bytes, maxBytes) : truncate(bytes, maxBytes);
}

/** The handling of a text that is too long for one message. */
export type LongText = 'split' | 'truncate';

export interface FittedText {
  /** One for each message; UTF-8, none longer than asked. */
  readonly parts: readonly Uint8Array[];
  /** Number of bytes in none of them. */
  readonly missingBytes: number;
}

/** How many digits the number of pieces has is known only once they are cut. */
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
  // Any character fits; with less there would be no end.
  if (pieceBytes < LONGEST_CHARACTER) throw new RangeError('there is no room for text in a message');
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
