import type { Position } from '../../records/position.ts';
import { type RelpFrame, RelpFrameReader } from './frame-reader.ts';
import { encodeRelpFrame, okAnswers, SERVER_CLOSE } from './frame-writer.ts';
import { encodeOffers, parseOffers, refusalOf } from './offers.ts';
import { type RelpFault, relpFault } from './relp-fault.ts';
import { nextTxnr, RELP_LIMITS, type RelpLimits } from './relp-limits.ts';

/**
 * The server's side of one RELP connection:
 *
 *     expect open --open--> expect syslog, close --close--> ended
 *
 * An answer promises that the message is stored, so each message has the position that must be flushed first.
 * Answers are sent in the order of the commands; `answers` returns all that are due, as one buffer. Messages that are
 * stored together have one position, and consecutive messages with one position are one entry here.
 *
 * The session never answers 500 to a message: librelp does not resend a message that was answered with 500. A
 * server that cannot store a message does not answer it, or closes the connection.
 */
export class RelpServerSession {
  readonly #handler: RelpServerHandler;
  readonly #frames: RelpFrameReader;
  readonly #offers: string;
  readonly #waiting: Waiting[] = [];
  #firstWaiting = 0;
  /** Commands of the waiting answers. */
  #unanswered = 0;
  #openData: Buffer | undefined;
  #lastTxnr = 0;
  #disabled = 0;
  #ended = false;

  constructor(handler: RelpServerHandler, { limits = RELP_LIMITS, softwareVersion }: RelpServerOptions) {
    this.#handler = handler;
    this.#frames = new RelpFrameReader(limits);
    this.#offers = encodeOffers(softwareVersion);
  }

  /** The `open` of the client was accepted. */
  get isOpen(): boolean {
    return this.#openData !== undefined;
  }

  /** No more bytes are read: the client has closed, the session has failed, or it was shut down. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /** The commands without an answer. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Processes the next bytes, split anywhere. After a fault, the remaining answers end with `serverclose`. */
  push(chunk: Uint8Array): RelpFault | undefined {
    if (this.#ended) return undefined;
    const fault = this.#frames.push(chunk, this);
    if (fault !== undefined) this.shutdown();
    return fault === ENDED ? undefined : fault;
  }

  /** Called when the client has closed the connection. Returns a fault if it closed inside a frame. */
  end(): RelpFault | undefined {
    const isTruncated = !this.#ended && this.#frames.isInFrame;
    this.#ended = true;
    return isTruncated ? relpFault('truncated', 'the connection ended inside a frame') : undefined;
  }

  /** Reads no more bytes; `serverclose` follows the answers of the received messages. */
  shutdown(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#answer(SERVER_CLOSE);
  }

  /** Returns and removes the answers that are due when everything before `flushed` is stored. */
  answers(flushed: Position): Buffer | undefined {
    const parts: Buffer[] = [];
    for (; this.#firstWaiting < this.#waiting.length; this.#firstWaiting++) {
      const next = this.#waiting[this.#firstWaiting];
      if (next === undefined || next.end === undefined || next.end > flushed) break;
      parts.push('text' in next ? Buffer.from(next.text) : okAnswers(next.txnr, next.count));
      this.#unanswered -= 'text' in next ? 1 : next.count;
    }
    this.#compact();
    return parts.length > 1 ? Buffer.concat(parts) : parts[0];
  }

  /** Sets the position of all messages for which the handler did not return one. */
  settle(end: Position): void {
    for (let index = this.#waiting.length - 1; index >= this.#firstWaiting; index--) {
      const each = this.#waiting[index];
      if (each !== undefined && each.end === undefined) each.end = end;
    }
  }

  /** For the frame reader. */
  frame(frame: RelpFrame): RelpFault | undefined {
    const { txnr, command } = frame;
    if (command === 'open' && this.#isRepeated(frame)) return this.#accept(frame);
    const expected = nextTxnr(this.#lastTxnr);
    if (txnr !== expected)
      return relpFault('bad order', `the transaction number must be ${expected}, got ${txnr}`);
    this.#lastTxnr = txnr;
    if (command === 'open') return this.#open(frame);
    if (command === 'syslog') return this.#message(frame);
    if (command === 'close') return this.#close(txnr);
    return relpFault('unknown command', `the command ${command} is unknown`);
  }

  /** A TCP proxy can make a client send its `open` again. A refusal would make that client try again without end. */
  #isRepeated({ txnr, data }: RelpFrame): boolean {
    const isNext = txnr === 1 || txnr === this.#lastTxnr + 1;
    return isNext && this.#openData?.equals(data) === true;
  }

  #open(frame: RelpFrame): RelpFault | undefined {
    if (this.isOpen) return this.#refuse(frame.txnr, 'protocol error: connection already open');
    if (frame.txnr !== 1) return relpFault('bad order', 'the first command has not the number 1');
    const refusal = refusalOf(parseOffers(frame.data));
    if (refusal !== undefined) return this.#refuse(frame.txnr, refusal);
    this.#openData = Buffer.from(frame.data);
    this.#handler.opened();
    return this.#accept(frame);
  }

  #accept({ txnr }: RelpFrame): undefined {
    this.#lastTxnr = txnr;
    this.#answer(encodeRelpFrame(txnr, 'rsp', `200 OK\n${this.#offers}`).toString());
  }

  #refuse(txnr: number, reason: string): RelpFault {
    this.#answer(encodeRelpFrame(txnr, 'rsp', `500 ${reason}`).toString());
    return relpFault('bad offer', reason);
  }

  #message({ txnr, data, dataBytes }: RelpFrame): RelpFault | undefined {
    if (!this.isOpen) {
      this.#answer(encodeRelpFrame(txnr, 'rsp', '500 command disabled').toString());
      return ++this.#disabled < MAX_DISABLED ? undefined : relpFault('bad order', 'the client sent no open');
    }
    const end = this.#handler.message(data, dataBytes);
    const last = this.unanswered === 0 ? undefined : this.#waiting.at(-1);
    if (last !== undefined && 'count' in last && last.end === end) last.count++;
    else this.#waiting.push({ end, txnr, count: 1 });
    this.#unanswered++;
    return undefined;
  }

  #close(txnr: number): RelpFault {
    this.#answer(`${txnr} rsp 0\n${SERVER_CLOSE}`);
    this.#ended = true;
    return ENDED;
  }

  /** An answer that promises nothing, after the answers of all earlier commands. */
  #answer(text: string): void {
    this.#waiting.push({ end: 0, text });
    this.#unanswered++;
  }

  #compact(): void {
    if (this.#firstWaiting === this.#waiting.length) this.#waiting.length = 0;
    else if (this.#firstWaiting > COMPACT_AFTER) this.#waiting.splice(0, this.#firstWaiting);
    else return;
    this.#firstWaiting = 0;
  }
}

export interface RelpServerOptions {
  readonly limits?: RelpLimits;
  /** Sent to the client. */
  readonly softwareVersion: string;
}

/** Receives the messages of a session. */
export interface RelpServerHandler {
  opened(): void;
  /**
   * Stores a message and returns the position that must be flushed before the answer; 0 when it is stored
   * already; undefined when the position will be known before the next call of `answers`, which `settle` follows.
   * `data` is valid only during the call, and shorter than `dataBytes` when it was truncated.
   */
  message(data: Uint8Array, dataBytes: number): Position | undefined;
}

/** One answer, or those to messages whose numbers follow each other. */
type Waiting =
  | { end: Position | undefined; readonly text: string }
  | { end: Position | undefined; readonly txnr: number; count: number };

/** Not a fault: ends the reading of the chunk. */
const ENDED = relpFault('bad order', 'the session has ended');
/** Commands before `open`, which are answered before the connection is closed. */
const MAX_DISABLED = 3;
const COMPACT_AFTER = 1024;
