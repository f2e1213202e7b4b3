import { MAX_COUNT, octetCountAt } from './signature.ts';

/**
 * Splits the bytes of a connection into syslog messages. Senders use two framings, sometimes both on one
 * connection, so `auto` decides for each frame:
 *
 *     151 <165>1 2003-10-11T...    octet counting: the count, a blank, as many bytes
 *     <34>Oct 11 22:14:15 ...LF    a line
 *
 * A count is recognized by its whole signature only. When the bytes after a counted message are neither a
 * count nor the begin of a line, the count was wrong: the bytes up to the next LF or count are one record, so
 * that nothing is lost and the following messages are read correctly.
 *
 * Limits: of a message, the first `keptBytes` are kept, and the rest is read and discarded. The received part
 * of a message is kept in its own buffer, which grows with the received bytes and not with the count.
 */
export class SyslogFrameSplitter {
  readonly #framing: SyslogFraming;
  readonly #keptBytes: number;
  readonly #delimiter: number;
  #state: State = 'start';
  /** The last frame was counted. */
  #isAfterCount = false;
  /** Bytes of the counted message that were not received yet. */
  #missing = 0;
  /** The first bytes of a frame whose framing is not decided yet: at most `MSG-LEN SP <PRI>`. */
  #undecided: Uint8Array = EMPTY;
  #kept: Uint8Array = EMPTY;
  #keptLength = 0;
  #length = 0;
  /** The last two received bytes of the message. */
  #ending: Ending = NO_ENDING;

  constructor({ framing, keptBytes }: SyslogFramingOptions) {
    this.#framing = framing;
    this.#keptBytes = keptBytes;
    this.#delimiter = framing === 'nul' ? NUL : LF;
  }

  /** Bytes of an incomplete message in memory. */
  get heldBytes(): number {
    return this.#keptLength + this.#undecided.length;
  }

  /** Processes the next bytes, split anywhere. */
  push(chunk: Uint8Array, visitor: SyslogFrameVisitor): void {
    const bytes = this.#undecided.length === 0 ? chunk : Buffer.concat([this.#undecided, chunk]);
    this.#undecided = EMPTY;
    for (let at = 0; at < bytes.length; ) {
      if (visitor.lines !== undefined && this.#state === 'start') at = this.#wholeLines(bytes, at, visitor);
      if (at < bytes.length) at = this.#step(bytes, at, visitor);
    }
  }

  /** The connection has ended: the received part of a message is a record. */
  end(visitor: SyslogFrameVisitor): void {
    this.#add(this.#undecided);
    this.#undecided = EMPTY;
    this.#complete(visitor, this.#state === 'garbage' ? 'garbage' : 'unterminated', EMPTY, 0, 0);
  }

  #step(bytes: Uint8Array, at: number, visitor: SyslogFrameVisitor): number {
    switch (this.#state) {
      case 'start':
        return this.#begin(bytes, at);
      case 'counted':
        return this.#counted(bytes, at, visitor);
      case 'line':
        return this.#line(bytes, at, visitor);
      case 'garbage':
        return this.#garbage(bytes, at, visitor);
    }
  }

  /** Decides the framing of the frame at `at`. */
  #begin(bytes: Uint8Array, at: number): number {
    const first = bytes[at] ?? 0;
    if (first === this.#delimiter || (first === CR && this.#framing !== 'nul')) return at + 1;
    if (this.#framing === 'lf' || this.#framing === 'nul') {
      this.#state = 'line';
      return at;
    }
    if (this.#isAfterCount && first === SPACE) return at + 1;
    const count = this.#framing === 'octet' ? anyCountAt(bytes, at) : octetCountAt(bytes, at);
    if (count === 'more') {
      this.#undecided = Uint8Array.from(bytes.subarray(at));
      return bytes.length;
    }
    if (count !== 'no') {
      this.#state = 'counted';
      this.#missing = count.length;
      return count.dataStart;
    }
    const isLine = this.#framing === 'auto' && (!this.#isAfterCount || first === LESS || first === BRACE);
    this.#state = isLine ? 'line' : 'garbage';
    return at;
  }

  /** Passes on complete lines that end with LF alone; returns the offset after them. */
  #wholeLines(bytes: Uint8Array, from: number, visitor: SyslogFrameVisitor): number {
    if (this.#framing === 'octet' || this.#framing === 'nul' || this.#isAfterCount) return from;
    const sizes = LINE_SIZES;
    let count = 0;
    let at = from;
    while (count < sizes.length && !this.#mayBeNoLine(bytes[at])) {
      const end = bytes.indexOf(LF, at);
      if (end === -1 || bytes[end - 1] === CR || end - at > this.#keptBytes) break;
      sizes[count++] = end + 1 - at;
      at = end + 1;
    }
    if (count > 0) visitor.lines?.(bytes.subarray(from, at), sizes.subarray(0, count));
    return at;
  }

  /** Whether the frame that begins with this byte needs a closer look: it can be a count, or an empty line. */
  #mayBeNoLine(first: number | undefined): boolean {
    if (first === undefined || first === LF || first === CR) return true;
    return this.#framing === 'auto' && first >= ONE && first <= NINE;
  }

  #counted(bytes: Uint8Array, at: number, visitor: SyslogFrameVisitor): number {
    const end = Math.min(bytes.length, at + this.#missing);
    this.#missing -= end - at;
    if (this.#missing > 0) this.#add(bytes.subarray(at, end));
    else {
      this.#complete(visitor, 'counted', bytes, at, end);
      this.#isAfterCount = true;
    }
    return end;
  }

  #line(bytes: Uint8Array, at: number, visitor: SyslogFrameVisitor): number {
    const end = bytes.indexOf(this.#delimiter, at);
    if (end === -1) {
      this.#add(bytes.subarray(at));
      return bytes.length;
    }
    this.#complete(visitor, 'line', bytes, at, end);
    this.#isAfterCount = false;
    return end + 1;
  }

  /** Ends at the next LF, or before the next count. */
  #garbage(bytes: Uint8Array, at: number, visitor: SyslogFrameVisitor): number {
    for (let end = at; end < bytes.length; end++) {
      const byte = bytes[end] ?? 0;
      const count = byte >= ONE && byte <= NINE ? octetCountAt(bytes, end) : 'no';
      if (count === 'more') {
        this.#add(bytes.subarray(at, end));
        this.#undecided = Uint8Array.from(bytes.subarray(end));
        return bytes.length;
      }
      if (byte === LF || count !== 'no') {
        this.#complete(visitor, 'garbage', bytes, at, end);
        return end;
      }
    }
    this.#add(bytes.subarray(at));
    return bytes.length;
  }

  /** Keeps bytes of an incomplete message. */
  #add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#length += bytes.length;
    this.#ending = endingOf(bytes, this.#ending);
    const kept = bytes.subarray(0, this.#keptBytes - this.#keptLength);
    const needed = this.#keptLength + kept.length;
    if (needed > this.#kept.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(this.#keptBytes, 2 * this.#kept.length)));
      grown.set(this.#kept.subarray(0, this.#keptLength));
      this.#kept = grown;
    }
    this.#kept.set(kept, this.#keptLength);
    this.#keptLength = needed;
  }

  /** The message ends with the bytes `[from, to)`. No objects for a message: they would be a large part of its cost. */
  #complete(visitor: SyslogFrameVisitor, kind: FrameKind, bytes: Uint8Array, from: number, to: number): void {
    this.#state = 'start';
    if (this.#length === 0) return this.#reportWhole(visitor, kind, bytes, from, to);
    this.#add(bytes.subarray(from, to));
    const message = this.#kept.subarray(0, this.#keptLength);
    const length = this.#length;
    const ending = this.#ending;
    this.#kept = EMPTY;
    this.#keptLength = 0;
    this.#length = 0;
    this.#ending = NO_ENDING;
    this.#report(visitor, message, { kind, length, ending });
  }

  /** The message is in one chunk. */
  #reportWhole(
    visitor: SyslogFrameVisitor,
    kind: FrameKind,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void {
    let end = to;
    if (end > from && bytes[end - 1] === LF) end--;
    if (end > from && bytes[end - 1] === CR) end--;
    if (end === from) return;
    const kept = Math.min(end, from + this.#keptBytes);
    visitor.message(bytes.subarray(from, kept), kind, kept < end ? end - from : undefined);
  }

  /** Removes one line ending; a message that is only a line ending is none. */
  #report(visitor: SyslogFrameVisitor, bytes: Uint8Array, { kind, length, ending }: Measured): void {
    const [beforeLast, last] = ending;
    let end = length;
    if (last === LF) end--;
    if ((end === length ? last : beforeLast) === CR) end--;
    if (end <= 0) return;
    const isTruncated = end > this.#keptBytes;
    visitor.message(bytes.subarray(0, Math.min(end, this.#keptBytes)), kind, isTruncated ? end : undefined);
  }
}

export type SyslogFraming = 'auto' | 'octet' | 'lf' | 'nul';

export interface SyslogFramingOptions {
  readonly framing: SyslogFraming;
  /** The kept part of a message. */
  readonly keptBytes: number;
}

/** Receives the messages, without their frames and one line ending. Never an empty one. */
export interface SyslogFrameVisitor {
  /** The bytes are valid only during the call. `truncatedFrom`: the size of a message that was truncated. */
  message(bytes: Uint8Array, kind: FrameKind, truncatedFrom: number | undefined): void;
  /**
   * Receives complete lines, each with its LF. None of them is empty or truncated. Both arrays are valid only during the
   * call. Absent: `message` receives each line.
   */
  readonly lines?: ((bytes: Uint8Array, sizes: Uint32Array) => void) | undefined;
}

/**
 * `unterminated`: the connection ended inside the message. `garbage`: bytes after a wrong count.
 */
export type FrameKind = 'counted' | 'line' | 'unterminated' | 'garbage';

interface Measured {
  readonly kind: FrameKind;
  /** Of the whole message. */
  readonly length: number;
  /** Of the whole message. */
  readonly ending: Ending;
}

/** The last two bytes; undefined: there are fewer. */
type Ending = readonly [beforeLast: number | undefined, last: number | undefined];

/** `previous`: the ending of the bytes before `bytes`. */
function endingOf(bytes: Uint8Array, previous: Ending): Ending {
  if (bytes.length === 0) return previous;
  return [bytes.length === 1 ? previous[1] : bytes[bytes.length - 2], bytes[bytes.length - 1]];
}

type State = 'start' | 'counted' | 'line' | 'garbage';

/** The sizes of the lines of one call, for all splitters. */
const LINE_SIZES = new Uint32Array(4096);
const NO_ENDING: Ending = [undefined, undefined];
const EMPTY = new Uint8Array(0);
const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const ONE = 0x31;
const NINE = 0x39;
const LESS = 0x3c;
const BRACE = 0x7b;

/** A count before any message, for connections that are known to use counts only. */
function anyCountAt(bytes: Uint8Array, offset: number): ReturnType<typeof octetCountAt> {
  let length = 0;
  for (let at = offset; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === SPACE && length > 0) return { length, dataStart: at + 1 };
    if (byte < ONE - 1 || byte > NINE || (byte < ONE && length === 0)) return 'no';
    length = length * 10 + byte - ONE + 1;
    if (length > MAX_COUNT) return 'no';
  }
  return 'more';
}
