import { type RelpFault, relpFault } from './relp-fault.ts';
import { RELP_LIMITS, type RelpLimits } from './relp-limits.ts';

/**
 * Splits a byte stream into RELP frames:
 *
 *     TXNR SP COMMAND SP DATALEN [SP DATA] LF
 *
 * Data that is complete in a chunk is passed on without a copy. The received part of incomplete data is kept
 * in its own buffer, which grows with the received bytes and not with the announced length. A chunk is never
 * kept.
 */
export class RelpFrameReader {
  readonly #limits: RelpLimits;
  #state: State = 'txnr';
  #txnr = 0;
  #command = '';
  #length = 0;
  #digits = 0;
  /** Bytes of the data that were not received yet. */
  #missing = 0;
  #held: Uint8Array = EMPTY;
  #heldBytes = 0;

  constructor(limits: RelpLimits = RELP_LIMITS) {
    this.#limits = limits;
  }

  /** The reader is in the middle of a frame. */
  get isInFrame(): boolean {
    return this.#state !== 'txnr' || this.#digits > 0;
  }

  /** Processes the next bytes. After a fault the reader must not be used again. */
  push(chunk: Uint8Array, visitor: RelpFrameVisitor): RelpFault | undefined {
    for (let at = 0; at < chunk.length; ) {
      if (this.#state === 'txnr' && this.#digits === 0) at = this.#wholeHeader(chunk, at);
      if (this.#state === 'data') {
        const used = this.#data(chunk, at, visitor);
        if (typeof used !== 'number') return used;
        at = used;
      } else {
        const fault = this.#byte(chunk[at++] ?? 0, visitor);
        if (fault !== undefined) return fault;
      }
    }
    return undefined;
  }

  /**
   * Reads the header of a `syslog` frame with data, if all of it is in the chunk; returns the offset after it. Nothing is
   * read of any other header, which has its turn byte by byte.
   */
  #wholeHeader(chunk: Uint8Array, from: number): number {
    let at = from;
    let txnr = 0;
    for (; isDigit(chunk[at] ?? 0); at++) txnr = txnr * 10 + (chunk[at] ?? 0) - ZERO;
    const digits = at - from;
    if (digits === 0 || digits > MAX_DIGITS || !hasSyslogAt(chunk, at)) return from;
    at += SYSLOG.length;
    const lengthAt = at;
    let length = 0;
    for (; isDigit(chunk[at] ?? 0); at++) length = length * 10 + (chunk[at] ?? 0) - ZERO;
    if (length === 0 || at - lengthAt > MAX_DIGITS || length > this.#limits.dataBytes) return from;
    if (chunk[at] !== SPACE) return from;
    this.#txnr = txnr;
    this.#command = 'syslog';
    this.#length = length;
    this.#missing = length;
    this.#next('data');
    return at + 1;
  }

  /** One byte of the header or the trailer. */
  #byte(byte: number, visitor: RelpFrameVisitor): RelpFault | undefined {
    switch (this.#state) {
      case 'txnr':
        return this.#txnrByte(byte);
      case 'command':
        return this.#commandByte(byte);
      case 'length':
        return this.#lengthByte(byte, visitor);
      case 'data':
      case 'trailer':
        return byte === LF ? this.#complete(this.#held.subarray(0, this.#heldBytes), visitor) : badTrailer();
    }
  }

  #txnrByte(byte: number): RelpFault | undefined {
    if (isDigit(byte) && this.#digits < MAX_DIGITS) {
      this.#txnr = this.#txnr * 10 + byte - ZERO;
      this.#digits++;
      return undefined;
    }
    if (byte !== SPACE || this.#digits === 0)
      return relpFault('bad frame', 'the transaction number must be 1 to 9 digits');
    this.#next('command');
    return undefined;
  }

  #commandByte(byte: number): RelpFault | undefined {
    if (isLetter(byte) && this.#command.length < MAX_COMMAND) {
      this.#command += String.fromCharCode(byte);
      return undefined;
    }
    if (byte !== SPACE || this.#command === '')
      return relpFault('bad frame', 'the command must be 1 to 32 letters');
    this.#next('length');
    return undefined;
  }

  #lengthByte(byte: number, visitor: RelpFrameVisitor): RelpFault | undefined {
    if (isDigit(byte) && this.#digits < MAX_DIGITS) {
      this.#length = this.#length * 10 + byte - ZERO;
      this.#digits++;
      return undefined;
    }
    if (this.#digits === 0 || (byte !== SPACE && byte !== LF))
      return relpFault('bad frame', 'the data length must be 1 to 9 digits');
    if (this.#length > this.#limits.dataBytes)
      return relpFault(
        'bad frame',
        `the data must be at most ${this.#limits.dataBytes} bytes, got ${this.#length}`,
      );
    if ((byte === LF) !== (this.#length === 0)) return badTrailer();
    if (byte === LF) return this.#complete(EMPTY, visitor);
    this.#missing = this.#length;
    this.#next('data');
    return undefined;
  }

  /** Uses bytes of the data, and the trailer if it is in the chunk; returns the offset after them. */
  #data(chunk: Uint8Array, at: number, visitor: RelpFrameVisitor): number | RelpFault | undefined {
    const end = Math.min(chunk.length, at + this.#missing);
    const kept = Math.min(end, at + this.#limits.keptBytes - this.#heldBytes);
    this.#missing -= end - at;
    if (this.#missing > 0 || end === chunk.length) {
      this.#hold(chunk.subarray(at, kept));
      if (this.#missing === 0) this.#next('trailer');
      return end;
    }
    if (chunk[end] !== LF) return badTrailer();
    let data = chunk.subarray(at, kept);
    if (this.#heldBytes > 0) {
      this.#hold(data);
      data = this.#held.subarray(0, this.#heldBytes);
    }
    return this.#complete(data, visitor) ?? end + 1;
  }

  #hold(bytes: Uint8Array): void {
    const needed = this.#heldBytes + bytes.length;
    if (needed > this.#held.length) {
      const most = Math.min(this.#length, this.#limits.keptBytes);
      const grown = new Uint8Array(Math.max(needed, Math.min(most, 2 * this.#held.length)));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes = needed;
  }

  #complete(data: Uint8Array, visitor: RelpFrameVisitor): RelpFault | undefined {
    const frame = { txnr: this.#txnr, command: this.#command, data, dataBytes: this.#length };
    this.#txnr = 0;
    this.#command = '';
    this.#length = 0;
    this.#held = EMPTY;
    this.#heldBytes = 0;
    this.#next('txnr');
    return visitor.frame(frame);
  }

  #next(state: State): void {
    this.#state = state;
    this.#digits = 0;
  }
}

/** Receives the frames. A returned fault ends the reading. */
export interface RelpFrameVisitor {
  frame(frame: RelpFrame): RelpFault | undefined;
}

export interface RelpFrame {
  readonly txnr: number;
  readonly command: string;
  /** Valid only during the call. Shorter than `dataBytes` when the data was truncated. */
  readonly data: Uint8Array;
  /** The announced size of the data. */
  readonly dataBytes: number;
}

type State = 'txnr' | 'command' | 'length' | 'data' | 'trailer';

const EMPTY = new Uint8Array(0);
const MAX_DIGITS = 9;
const MAX_COMMAND = 32;
const ZERO = 0x30;
const SPACE = 0x20;
const LF = 0x0a;

/** Between the transaction number and the data length. */
const SYSLOG = Buffer.from(' syslog ');

function hasSyslogAt(chunk: Uint8Array, at: number): boolean {
  for (let index = 0; index < SYSLOG.length; index++) if (chunk[at + index] !== SYSLOG[index]) return false;
  return true;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function badTrailer(): RelpFault {
  return relpFault('bad frame', 'the frame does not end with LF after its data');
}
