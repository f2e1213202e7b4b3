import type { IncomingRequest } from '../../../records/publish-codec.ts';
import type { PublishTransport } from './publish-transport.ts';

/**
 * Decides when the requests of one call are processed. A request that must wait is held and the transport is paused, so a
 * call holds at most one. The gate itself bounds the requests in one turn of the event loop, and waits while the peer does
 * not read its answers.
 */
export class RequestGate {
  readonly #options: RequestGateOptions;
  #held: IncomingRequest | undefined;
  #processedThisTurn = 0;
  #waitsForDrain = false;
  #isClosed = false;

  constructor(options: RequestGateOptions) {
    this.#options = options;
  }

  get holdsRequest(): boolean {
    return this.#held !== undefined;
  }

  receive(request: IncomingRequest): void {
    if (this.#isClosed) return;
    if (this.#held === undefined && this.#mayProcess(request)) this.#process(request);
    else {
      this.#held = request;
      this.#options.transport.pause();
    }
  }

  /** The state of the call has changed: processes the held request if it may be processed now. */
  proceed(): void {
    if (this.#isClosed || this.#held === undefined || !this.#mayProcess(this.#held)) return;
    const request = this.#held;
    this.#held = undefined;
    this.#process(request);
    if (!this.#isClosed) this.#options.transport.resume();
  }

  /** Reads on after the caller has paused the transport, with the held request first. */
  resume(): void {
    if (this.#held !== undefined) this.proceed();
    else if (!this.#isClosed) this.#options.transport.resume();
  }

  /** The peer does not read: no request is processed until `drained`. */
  waitForDrain(): void {
    this.#waitsForDrain = true;
  }

  drained(): void {
    this.#waitsForDrain = false;
    this.proceed();
  }

  /** Discards the held request; no more requests are processed. */
  close(): void {
    this.#isClosed = true;
    this.#held = undefined;
  }

  #mayProcess(request: IncomingRequest): boolean {
    if (this.#waitsForDrain || this.#processedThisTurn >= REQUESTS_PER_TURN) return false;
    return this.#options.mayProcess(request);
  }

  #process(request: IncomingRequest): void {
    if (this.#processedThisTurn++ === 0) {
      setImmediate(() => {
        this.#processedThisTurn = 0;
        this.proceed();
      });
    }
    this.#options.process(request);
  }
}

/** A peer that sends small messages without end must leave turns of the event loop to the others. */
export const REQUESTS_PER_TURN = 256;

export interface RequestGateOptions {
  readonly transport: Pick<PublishTransport, 'pause' | 'resume'>;
  /** Whether a request may be processed now, as far as the call knows. */
  readonly mayProcess: (request: IncomingRequest) => boolean;
  readonly process: (request: IncomingRequest) => void;
}
