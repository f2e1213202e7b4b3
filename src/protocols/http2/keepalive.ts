import type { Http2Clock } from './http2-clock.ts';
import type { KeepaliveOptions } from './http2-options.ts';

/**
 * Detects a peer that does not answer. After an interval in which nothing was received it sends a PING, and if nothing
 * proves that the peer is alive then, the connection is dead.
 *
 * A proof is the answer to the PING, or data: received, or sent and taken by the peer. Other bytes postpone a PING, but only
 * for six intervals, and are no answer to it: a peer may send frames without use forever.
 */
export class Keepalive {
  readonly #options: KeepaliveHost;
  #receivedMs: number;
  #provenMs: number;
  #waitsForProof = false;
  #pings = 0;
  #cancel: () => void = () => {};

  constructor(options: KeepaliveHost) {
    this.#options = options;
    this.#receivedMs = options.clock.monotonicMs();
    this.#provenMs = this.#receivedMs;
    this.#wait(options.intervalMs);
  }

  received(isProof: boolean): void {
    this.#receivedMs = this.#options.clock.monotonicMs();
    if (isProof) this.#prove();
  }

  /** An answer to a PING with this payload of 8 bytes. */
  answered(payload: Buffer): void {
    if (this.#waitsForProof && payload.readUInt32BE(4) === this.#pings) this.#prove();
  }

  stop(): void {
    this.#cancel();
  }

  #prove(): void {
    this.#provenMs = this.#options.clock.monotonicMs();
    this.#waitsForProof = false;
  }

  #wait(ms: number): void {
    this.#cancel = this.#options.clock.after(ms, () => this.#check());
  }

  #check(): void {
    const { clock, intervalMs, isNeeded } = this.#options;
    const nowMs = clock.monotonicMs();
    const quietMs = this.#receivedMs + intervalMs - nowMs;
    const unprovenMs = this.#provenMs + UNPROVEN_INTERVALS * intervalMs - nowMs;
    if (!isNeeded()) this.#wait(intervalMs);
    else if (quietMs > 0 && unprovenMs > 0) this.#wait(Math.min(quietMs, unprovenMs));
    else this.#ping();
  }

  #ping(): void {
    const { clock, timeoutMs, intervalMs, ping, timedOut } = this.#options;
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(++this.#pings, 4);
    this.#waitsForProof = true;
    ping(payload);
    this.#cancel = clock.after(timeoutMs, () => {
      if (this.#waitsForProof) timedOut(`no answer to a PING within ${timeoutMs / 1000} s`);
      else this.#wait(intervalMs);
    });
  }
}

const UNPROVEN_INTERVALS = 6;

export interface KeepaliveHost extends KeepaliveOptions {
  readonly clock: Http2Clock;
  readonly isNeeded: () => boolean;
  readonly ping: (payload: Buffer) => void;
  readonly timedOut: (reason: string) => void;
}
