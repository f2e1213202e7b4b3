import { type ByteCursor, isDigit, NOTHING } from '../byte-cursor.ts';

/** The highest priority: facility 23, severity 7. */
export const MAX_PRIORITY = 191;

/**
 * Reads `<34>`; leading zeros are accepted. `absent`: the record does not begin with `<`. `invalid`: it does,
 * but not with a priority; the cursor is then unchanged.
 */
export function readPriority(cursor: ByteCursor): number | 'absent' | 'invalid' {
  if (cursor.peek() !== LESS) return 'absent';
  const start = cursor.at++;
  const value = cursor.digits(3);
  if (value !== NOTHING && value <= MAX_PRIORITY && cursor.skip(GREATER)) return value;
  cursor.at = start;
  return isDigit(cursor.peek(1)) || cursor.peek(1) === GREATER ? 'invalid' : 'absent';
}

const LESS = 0x3c;
const GREATER = 0x3e;
