import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import { failureOf } from '../../transport/transport-failure.ts';
import { type Answer, STOPPED } from './classify-answer.ts';

/**
 * A response body is read up to this size so that the connection can be reused. A longer one closes the
 * connection.
 */
const MAX_ANSWER_BYTES = 64 * 1024;
/** The part of a response body that is kept for operators. */
const EXCERPT_BYTES = 1024;

/** One request and its response, with timeouts. */
export class Exchange {
  readonly #outgoing: ClientRequest;
  readonly #options: ExchangeOptions;
  readonly #resolve: (answer: Answer) => void;
  #cancelRequest: Cancel;
  #cancelConnecting: Cancel = () => {};
  #incoming: IncomingMessage | undefined;
  #text = '';
  #isEnded = false;

  constructor(outgoing: ClientRequest, options: ExchangeOptions, resolve: (answer: Answer) => void) {
    this.#outgoing = outgoing;
    this.#options = options;
    this.#resolve = resolve;
    const { requestMs } = options.timeouts;
    this.#cancelRequest = options.clock.after(requestMs, () => this.#timedOut('no answer', requestMs));
    outgoing.on('socket', (socket) => this.#watch(socket));
    outgoing.on('response', (incoming) => this.#receive(incoming));
    // Also after the end: an error without a listener would be thrown.
    outgoing.on('error', (error) => this.end(this.#failed(error)));
    outgoing.on('close', () => this.end(this.#failed(new Error('the connection was closed'))));
  }

  /**
   * Only the first call has an effect. Closes the connection if the request or the response is incomplete.
   */
  end(answer: Answer): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#cancelRequest();
    this.#cancelConnecting();
    if (this.#incoming?.complete !== true || !this.#outgoing.writableFinished) this.#outgoing.destroy();
    this.#resolve(this.#incoming === undefined ? answer : this.#answered(this.#incoming));
  }

  #watch(socket: Socket): void {
    if (this.#isEnded || !socket.connecting) return;
    const { clock, timeouts } = this.#options;
    const { connectMs, tlsMs } = timeouts;
    this.#cancelConnecting = clock.after(connectMs, () => this.#timedOut('no connection', connectMs));
    socket.once('connect', () => {
      this.#cancelConnecting();
      if (this.#isEnded || !('encrypted' in socket)) return;
      this.#cancelConnecting = clock.after(tlsMs, () => this.#timedOut('no TLS handshake', tlsMs));
      socket.once('secureConnect', () => this.#cancelConnecting());
    });
  }

  #receive(incoming: IncomingMessage): void {
    this.#incoming = incoming;
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (this.#text.length < EXCERPT_BYTES)
        this.#text += chunk.subarray(0, EXCERPT_BYTES).toString('latin1');
      if (bytes > MAX_ANSWER_BYTES) this.end(STOPPED);
    });
    const end = () => this.end(STOPPED);
    incoming.on('end', end);
    incoming.on('error', end);
    incoming.on('close', end);
  }

  #timedOut(what: string, afterMs: number): void {
    this.end({ kind: 'unanswered', reason: `${what} within ${afterMs} ms`, wasReused: false });
  }

  #failed(error: Error): Answer {
    return { kind: 'unanswered', reason: failureOf(error).reason, wasReused: this.#outgoing.reusedSocket };
  }

  #answered({ statusCode = 0, headers }: IncomingMessage): Answer {
    return {
      kind: 'answered',
      status: statusCode,
      retryAfter: headers['retry-after'],
      text: Buffer.from(this.#text, 'latin1').toString(),
    };
  }
}

export interface LogplexTimeouts {
  readonly connectMs: number;
  /** For the TLS handshake, once connected. */
  readonly tlsMs: number;
  /** From the start of connecting to the end of the response. */
  readonly requestMs: number;
  /** An idle connection is closed after this time. */
  readonly idleMs: number;
}

export interface ExchangeOptions {
  readonly clock: Clock;
  readonly timeouts: LogplexTimeouts;
}
