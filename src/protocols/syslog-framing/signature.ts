/**
 * Whether an octet-counted frame begins at an offset: `MSG-LEN SP <PRI>` or `MSG-LEN SP {`. The whole signature
 * is required, because a line may begin with digits and a blank (`404 <html>`, `2015 something`). `more`: the
 * bytes end before the decision.
 */
export function octetCountAt(bytes: Uint8Array, offset: number): OctetCount | 'no' | 'more' {
  let at = offset;
  let length = 0;
  for (; at < bytes.length && isDigit(bytes[at]); at++) {
    length = length * 10 + (bytes[at] ?? 0) - ZERO;
    if (length > MAX_COUNT || length === 0) return 'no';
  }
  if (at === bytes.length) return 'more';
  if (at === offset || bytes[at++] !== SPACE) return 'no';
  const start = messageStartAt(bytes, at);
  return start === 'yes' ? { length, dataStart: at } : start;
}

export interface OctetCount {
  readonly length: number;
  /** Offset of the message. */
  readonly dataStart: number;
}

/** A longer message is more likely a line that begins with a number. */
export const MAX_COUNT = 16 * 1024 * 1024;

/** Whether a message with a priority or in JSON begins at an offset. */
function messageStartAt(bytes: Uint8Array, offset: number): 'yes' | 'no' | 'more' {
  if (offset >= bytes.length) return 'more';
  if (bytes[offset] === BRACE) return 'yes';
  if (bytes[offset] !== LESS) return 'no';
  let at = offset + 1;
  while (at < bytes.length && at <= offset + MAX_PRIORITY_DIGITS && isDigit(bytes[at])) at++;
  if (at === bytes.length) return 'more';
  return at > offset + 1 && bytes[at] === GREATER ? 'yes' : 'no';
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}

const MAX_PRIORITY_DIGITS = 3;
const ZERO = 0x30;
const SPACE = 0x20;
const LESS = 0x3c;
const GREATER = 0x3e;
const BRACE = 0x7b;
