const PAYLOAD = 'request served in 12 ms, status 200, 2326 bytes, from the cache of the first level '
  .repeat(2)
  .slice(0, 130);

const HEADER = '<134>1 2026-11-28T10:00:00.123456Z web1 shop 4242 - - ';
const DIGITS = 10;

/** Message `number`, without a line ending. All have the same size. */
export function benchMessage(number: number): string {
  return `${HEADER}${String(number).padStart(DIGITS, '0')} ${PAYLOAD}`;
}

export const MESSAGE_BYTES = benchMessage(0).length;

/**
 * `count` messages from `first` on, each with LF. Copies a message and writes the digits, so that the generator needs
 * little of the CPU that it shares with the receivers.
 */
export function numberedLines(first: number, count: number): Buffer {
  const lines = Buffer.alloc(count * LINE.length, LINE);
  for (let index = 0; index < count; index++) {
    const lastDigit = index * LINE.length + HEADER.length + DIGITS - 1;
    for (let rest = first + index, at = lastDigit; rest > 0; rest = Math.floor(rest / 10), at--)
      lines[at] = ZERO + (rest % 10);
  }
  return lines;
}

const LINE = Buffer.from(`${benchMessage(0)}\n`);
const ZERO = 0x30;
