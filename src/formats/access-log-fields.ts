import { ACCESS_LOG_TIME_LENGTH, parseAccessLogTime } from './parse-access-log-time.ts';

/**
 * The fields of a simple line of an access log, as offsets in its bytes: a store copies them without a string
 * or an object for each. One object serves all lines: each successful `read` replaces its values.
 *
 *     client - user [time] "METHOD /path?query HTTP/1.1" status size "referer" "user agent"
 *
 * `read` returns false for every line that needs more than offsets: other characters than printable ASCII, a
 * backslash, a virtual host, a port, a list of clients, another order, or anything that is not in the format.
 * The format `combined` reads such a line. For all lines that `read` accepts, both return the same values.
 */
export class AccessLogFields {
  clientStart = 0;
  clientEnd = 0;
  /** Equal to `userEnd`: there is no user. The same applies to the referer and the user agent. */
  userStart = 0;
  userEnd = 0;
  unixNano = 0n;
  /** `unixNano` in whole microseconds. */
  unixMicro = 0;
  methodStart = 0;
  methodEnd = 0;
  pathStart = 0;
  pathEnd = 0;
  /** -1: the target has no question mark. */
  queryStart = 0;
  queryEnd = 0;
  versionStart = 0;
  versionEnd = 0;
  status = 0;
  /** -1: unknown. */
  size = 0;
  refererStart = 0;
  refererEnd = 0;
  agentStart = 0;
  agentEnd = 0;
  /** The end of the line without its line ending. */
  end = 0;
  readonly #lastTime = new Uint8Array(ACCESS_LOG_TIME_LENGTH);
  #isTimeKnown = false;

  /** `[start, lineEnd)`: a record of `bytes`, line ending included. */
  read(bytes: Uint8Array, start: number, lineEnd: number): boolean {
    this.end = endOfText(bytes, start, lineEnd);
    const timeStart = this.#readOrigin(bytes, start);
    if (timeStart < 0 || !this.#readTime(bytes, timeStart)) return false;
    const requestEnd = this.#readRequest(bytes, timeStart + ACCESS_LOG_TIME_LENGTH + QUOTE_AFTER_TIME);
    if (requestEnd < 0) return false;
    const numbersEnd = this.#readNumbers(bytes, requestEnd);
    return numbersEnd >= 0 && this.#readTail(bytes, numbersEnd);
  }

  /** Returns the start of the time, or -1. */
  #readOrigin(bytes: Uint8Array, start: number): number {
    const clientEnd = endOfWord(bytes, start, this.end);
    this.clientStart = start;
    this.clientEnd = clientEnd;
    if (clientEnd < 0 || isAbsent(bytes, start, clientEnd) || isUnknown(bytes, start, clientEnd)) return -1;
    if (bytes[clientEnd + 1] !== HYPHEN || bytes[clientEnd + 2] !== BLANK) return -1;
    const userStart = clientEnd + 3;
    const userEnd = endOfWord(bytes, userStart, this.end);
    if (userEnd <= userStart || bytes[userEnd + 1] !== OPENING_BRACKET) return -1;
    this.userStart = userStart;
    this.userEnd = isAbsent(bytes, userStart, userEnd) ? userStart : userEnd;
    return userEnd + 2;
  }

  /** Most lines have the same second as the line before. */
  #readTime(bytes: Uint8Array, start: number): boolean {
    const end = start + ACCESS_LOG_TIME_LENGTH;
    if (bytes[end] !== CLOSING_BRACKET || bytes[end + 1] !== BLANK || bytes[end + 2] !== QUOTE) return false;
    if (end + QUOTE_AFTER_TIME > this.end) return false;
    if (this.#isTimeKnown && equals(bytes, start, this.#lastTime)) return true;
    const text = latin1(bytes, start, end);
    const unixNano = parseAccessLogTime(text);
    this.#isTimeKnown = unixNano !== undefined;
    if (unixNano === undefined) return false;
    this.unixNano = unixNano;
    this.unixMicro = Number(unixNano / 1000n);
    this.#lastTime.set(bytes.subarray(start, end));
    return true;
  }

  /** Returns the offset after the closing quote, or -1. */
  #readRequest(bytes: Uint8Array, start: number): number {
    const end = endOfQuoted(bytes, start, this.end);
    if (end < 0) return -1;
    const methodEnd = endOfMethod(bytes, start, end);
    const targetEnd = startOfProtocol(bytes, end);
    if (methodEnd < 0 || targetEnd <= methodEnd || bytes[methodEnd + 1] !== SLASH) return -1;
    this.methodStart = start;
    this.methodEnd = methodEnd;
    this.versionStart = targetEnd + PROTOCOL.length;
    this.versionEnd = end;
    this.pathStart = methodEnd + 1;
    const question = indexOf(bytes, QUESTION_MARK, methodEnd + 1, targetEnd);
    this.pathEnd = question < 0 ? targetEnd : question;
    this.queryStart = question < 0 ? -1 : question + 1;
    this.queryEnd = targetEnd;
    return end + 1;
  }

  /** Reads ` 200 1234`. Returns its end, or -1. */
  #readNumbers(bytes: Uint8Array, start: number): number {
    const sizeStart = start + 5;
    if (bytes[start] !== BLANK || bytes[start + 4] !== BLANK || sizeStart >= this.end) return -1;
    this.status = number(bytes, start + 1, start + 4);
    const sizeEnd = endOfWord(bytes, sizeStart, this.end, this.end);
    if (this.status < 0 || sizeEnd < 0 || sizeEnd === sizeStart || sizeEnd - sizeStart > MAX_DIGITS)
      return -1;
    this.size = number(bytes, sizeStart, sizeEnd);
    return this.size >= 0 || isAbsent(bytes, sizeStart, sizeEnd) ? sizeEnd : -1;
  }

  /** Reads nothing, or ` "referer" "user agent"`, until the end of the line. */
  #readTail(bytes: Uint8Array, start: number): boolean {
    this.refererStart = this.refererEnd = this.agentStart = this.agentEnd = 0;
    if (start === this.end) return true;
    if (bytes[start] !== BLANK || bytes[start + 1] !== QUOTE) return false;
    const refererStart = start + 2;
    const refererEnd = endOfQuoted(bytes, refererStart, this.end);
    if (refererEnd < 0 || bytes[refererEnd + 1] !== BLANK || bytes[refererEnd + 2] !== QUOTE) return false;
    const agentStart = refererEnd + 3;
    const agentEnd = endOfQuoted(bytes, agentStart, this.end);
    if (agentEnd < 0 || agentEnd + 1 !== this.end) return false;
    this.refererStart = refererStart;
    this.refererEnd = isAbsent(bytes, refererStart, refererEnd) ? refererStart : refererEnd;
    this.agentStart = agentStart;
    this.agentEnd = isAbsent(bytes, agentStart, agentEnd) ? agentStart : agentEnd;
    return true;
  }
}

const LF = 0x0a;
const CR = 0x0d;
const BLANK = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const HYPHEN = 0x2d;
const SLASH = 0x2f;
const COLON = 0x3a;
const QUESTION_MARK = 0x3f;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;
/** The characters from the end of the time to the request: `] "`. */
const QUOTE_AFTER_TIME = 3;
/** A number of more digits may not be exact. */
const MAX_DIGITS = 15;
const MAX_METHOD_LENGTH = 64;
const PROTOCOL = Buffer.from(' HTTP/');
const UNKNOWN = Buffer.from('unknown');

function endOfText(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || bytes[end - 1] !== LF) return end;
  return end - 1 > start && bytes[end - 2] === CR ? end - 2 : end - 1;
}

/** The blank after a word of simple characters; `-1`: there is no blank, and `orEnd` is not given. */
function endOfWord(bytes: Uint8Array, start: number, end: number, orEnd = -1): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === BLANK) return at;
    if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE || byte === QUOTE || byte === COMMA) return -1;
    if (byte === COLON || byte === OPENING_BRACKET || byte === BACKSLASH) return -1;
  }
  return orEnd;
}

/** The closing quote of a field with nothing to unescape; a blank or the end of the line follows. */
function endOfQuoted(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at + 1 === end || bytes[at + 1] === BLANK ? at : -1;
    if (byte < FIRST_PRINTABLE || byte > LAST_PRINTABLE || byte === BACKSLASH) return -1;
  }
  return -1;
}

function endOfMethod(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end && at <= start + MAX_METHOD_LENGTH; at++) {
    const byte = bytes[at] as number;
    if (byte === BLANK) return at > start ? at : -1;
    if (byte < 0x41 || byte > 0x5a) return -1;
  }
  return -1;
}

/** The blank before `HTTP/1.1` or `HTTP/2` at the end of a request, or -1. */
function startOfProtocol(bytes: Uint8Array, end: number): number {
  if (!isDigit(bytes[end - 1])) return -1;
  const hasFraction = bytes[end - 2] === 0x2e && isDigit(bytes[end - 3]);
  const start = end - PROTOCOL.length - (hasFraction ? 3 : 1);
  return start >= 0 && equals(bytes, start, PROTOCOL) ? start : -1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** -1: there are other characters than digits. */
function number(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at])) return -1;
    value = value * 10 + (bytes[at] as number) - 0x30;
  }
  return value;
}

function isAbsent(bytes: Uint8Array, start: number, end: number): boolean {
  return end === start || (end === start + 1 && bytes[start] === HYPHEN);
}

function isUnknown(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === UNKNOWN.length && equals(bytes, start, UNKNOWN);
}

function equals(bytes: Uint8Array, start: number, other: Uint8Array): boolean {
  for (let at = 0; at < other.length; at++) if (bytes[start + at] !== other[at]) return false;
  return true;
}

function indexOf(bytes: Uint8Array, value: number, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === value) return at;
  return -1;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
