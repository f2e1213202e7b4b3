import { type RelpFrame, RelpFrameReader, type RelpFrameVisitor } from './frame-reader.ts';
import { encodeRelpFrame } from './frame-writer.ts';
import { encodeOffers, parseOffers } from './offers.ts';
import { type RelpFault, relpFault } from './relp-fault.ts';
import { MAX_TXNR, type RelpLimits } from './relp-limits.ts';

/**
 * The client's side of one RELP connection:
 *
 *     open() --response 200--> message()* --all answered--> close() --response--> ended
 *
 * At most `window` messages are unanswered. The server may answer them in any order. The transaction numbers of
 * a session are used once: librelp miscounts after the largest one, so a session ends before it
 * (`isExhausted`), and the caller continues with a new connection.
 */
export class RelpClientSession implements RelpFrameVisitor {
  readonly #handler: RelpClientHandler;
  readonly #window: number;
  readonly #maxTxnr: number;
  readonly #offers: string;
  readonly #frames = new RelpFrameReader(RESPONSE_LIMITS);
  /** The index of each unanswered message by its transaction number. */
  readonly #unanswered = new Map<number, number>();
  #lastTxnr = 0;
  #sent = 0;
  #openTxnr = 0;
  #closeTxnr = 0;
  #state: 'new' | 'opening' | 'open' | 'closing' | 'ended' = 'new';

  constructor(handler: RelpClientHandler, options: RelpClientSessionOptions) {
    this.#handler = handler;
    this.#window = options.window ?? DEFAULT_WINDOW;
    this.#maxTxnr = options.maxTxnr ?? MAX_TXNR;
    this.#offers = encodeOffers(options.softwareVersion);
  }

  /** The number of messages sent in this session. */
  get sent(): number {
    return this.#sent;
  }

  get unanswered(): number {
    return this.#unanswered.size;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** The server has closed the session, or answered `close`. */
  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** One transaction number is reserved for `close`. */
  get isExhausted(): boolean {
    return this.#lastTxnr + 1 >= this.#maxTxnr;
  }

  /** `message` may be called. */
  get canSend(): boolean {
    return this.isOpen && !this.isExhausted && this.#unanswered.size < this.#window;
  }

  /** The first frame of the connection. */
  open(): Buffer {
    this.#state = 'opening';
    this.#openTxnr = ++this.#lastTxnr;
    return encodeRelpFrame(this.#openTxnr, 'open', this.#offers);
  }

  /** The frame of the next message. Messages have indexes from 0 in the order of the calls. */
  message(data: Uint8Array): Buffer {
    if (!this.canSend)
      throw new Error('Cannot send a message: the session is not open, or its window is full.');
    const txnr = ++this.#lastTxnr;
    this.#unanswered.set(txnr, this.#sent++);
    return encodeRelpFrame(txnr, 'syslog', data);
  }

  close(): Buffer {
    this.#state = 'closing';
    this.#closeTxnr = ++this.#lastTxnr;
    return encodeRelpFrame(this.#closeTxnr, 'close');
  }

  /** Processes the next bytes, split anywhere. After a fault the connection must be closed. */
  push(chunk: Uint8Array): RelpFault | undefined {
    return this.#frames.push(chunk, this);
  }

  /** For the frame reader. */
  frame({ txnr, command, data }: RelpFrame): RelpFault | undefined {
    if (command === 'serverclose' && txnr === 0) {
      this.#end();
      return undefined;
    }
    // Other commands with the number 0 are hints.
    if (txnr === 0) return undefined;
    if (command !== 'rsp') return relpFault('unknown command', `the command ${command} is unknown`);
    const answer = parseAnswer(data);
    if (answer === undefined) return relpFault('bad frame', 'the response has no status code');
    return this.#answer(txnr, answer);
  }

  #answer(txnr: number, answer: ParsedAnswer): RelpFault | undefined {
    const index = this.#unanswered.get(txnr);
    if (index !== undefined) {
      this.#unanswered.delete(txnr);
      this.#handler.answered(index, answer);
      return undefined;
    }
    if (txnr === this.#openTxnr && this.#state === 'opening') return this.#opened(answer);
    if (txnr === this.#closeTxnr && this.#state === 'closing') {
      this.#end();
      return undefined;
    }
    return relpFault('bad order', `the response ${txnr} answers no command`);
  }

  #opened({ code, text, rest }: ParsedAnswer): RelpFault | undefined {
    if (code !== OK) return relpFault('bad offer', `the server rejected the session: ${code} ${text}`.trim());
    const offers = parseOffers(rest);
    if (offers?.get('commands')?.includes('syslog') !== true)
      return relpFault('bad offer', 'the server does not offer the command syslog');
    this.#state = 'open';
    this.#handler.opened();
    return undefined;
  }

  #end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#handler.ended();
  }
}

export interface RelpClientHandler {
  opened(): void;
  /** `index` counts the messages of the session from 0. */
  answered(index: number, answer: RelpAnswer): void;
  /** The server has closed the session: unanswered messages have to be sent again. */
  ended(): void;
}

export interface RelpAnswer {
  /** 200: the server has taken responsibility for the message. */
  readonly code: number;
  /** Printable ASCII of at most 80 characters. */
  readonly text: string;
}

export interface RelpClientSessionOptions {
  readonly softwareVersion: string;
  /** Maximum number of unanswered messages. Default 128, as in librelp. */
  readonly window?: number | undefined;
  /** The largest transaction number. */
  readonly maxTxnr?: number | undefined;
}

export const OK = 200;
export const DEFAULT_WINDOW = 128;

/** A response has at most some offers as data. */
const RESPONSE_LIMITS: RelpLimits = { keptBytes: 64 * 1024, dataBytes: 64 * 1024 };
const MAX_TEXT = 80;

interface ParsedAnswer extends RelpAnswer {
  readonly rest: Uint8Array;
}

/** `200 OK`, `200`, or nothing, as in the response to `close`; undefined for anything else. */
function parseAnswer(data: Uint8Array): ParsedAnswer | undefined {
  if (data.length === 0) return { code: OK, text: '', rest: data };
  const bytes = Buffer.from(data);
  const lineEnd = bytes.indexOf('\n');
  const line = bytes.toString('latin1', 0, lineEnd === -1 ? bytes.length : lineEnd);
  const [, code, text = ''] = /^(\d{3})(?: (.*))?$/s.exec(line) ?? [];
  if (code === undefined) return undefined;
  const rest = lineEnd === -1 ? new Uint8Array(0) : bytes.subarray(lineEnd + 1);
  return { code: Number(code), text: text.slice(0, MAX_TEXT).replace(/[^\x20-\x7e]/g, '?'), rest };
}
