import type { Http2Clock } from './http2-clock.ts';
import type { KeepaliveOptions } from './http2-options.ts';

/**
 * Detects a peer that does not answer. After an interval in which nothing was received it sends a PING, and if nothing
 * arrives then either, the connection is dead.
 */
export class Keepalive {
  readonly #options: KeepaliveHost;
  #receivedMs: number;
  #waitsForAnswer = false;
  #cancel: () => void = () => {};

  constructor(options: KeepaliveHost) {
    this.#options = options;
    this.#receivedMs = options.clock.monotonicMs();
    this.#wait(options.intervalMs);
  }

  received(): void {
    this.#receivedMs = this.#options.clock.monotonicMs();
    this.#waitsForAnswer = false;
  }

  stop(): void {
    this.#cancel();
  }

  #wait(ms: number): void {
    this.#cancel = this.#options.clock.after(ms, () => this.#check());
  }

  #check(): void {
    const { clock, intervalMs, isNeeded } = this.#options;
    const quietMs = clock.monotonicMs() - this.#receivedMs;
    if (!isNeeded()) this.#wait(intervalMs);
    else if (quietMs < intervalMs) this.#wait(intervalMs - quietMs);
    else this.#ping();
  }

  #ping(): void {
    const { clock, timeoutMs, intervalMs, ping, timedOut } = this.#options;
    this.#waitsForAnswer = true;
    ping();
    this.#cancel = clock.after(timeoutMs, () => {
      if (this.#waitsForAnswer) timedOut(`no answer to a PING within ${timeoutMs / 1000} s`);
      else this.#wait(intervalMs);
    });
  }
}

export interface KeepaliveHost extends KeepaliveOptions {
  readonly clock: Http2Clock;
  readonly isNeeded: () => boolean;
  readonly ping: () => void;
  readonly timedOut: (reason: string) => void;
}
