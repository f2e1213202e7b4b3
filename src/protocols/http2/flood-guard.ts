import { ERROR_CODE } from './error-codes.ts';
import type { Http2Clock } from './http2-clock.ts';
import { Http2Error } from './http2-error.ts';

/**
 * Limits the frames of a peer that have no use, by token buckets.
 *
 *     costly    streams that are reset or refused, SETTINGS, empty DATA     500 at once, then 50 in a second
 *     cheap     PING, PRIORITY, unknown frames, frames of closed streams    20,000 at once, then 5,000 in a second
 *
 * Other implementations send a PING for each round trip while they measure the speed of a connection. A WINDOW_UPDATE has a
 * use after data was sent; the others are cheap frames.
 */
export class FloodGuard {
  readonly #clock: Http2Clock;
  #costly = COSTLY_BURST;
  #cheap = CHEAP_BURST;
  #filledMs: number;
  /** Window updates that had a use. */
  #updates = 0;

  constructor(clock: Http2Clock) {
    this.#clock = clock;
    this.#filledMs = clock.monotonicMs();
  }

  /** Throws `Http2Error` when the limit is reached. */
  costly(what: string): void {
    if (this.#costly < 1) this.#fill();
    if (--this.#costly < 0) throw flood(what);
  }

  cheap(what: string): void {
    if (this.#cheap < 1) this.#fill();
    if (--this.#cheap < 0) throw flood(what);
  }

  /** `useful`: how many updates the data that was sent can cause, from the beginning of the connection. */
  windowUpdate(useful: number): void {
    if (this.#updates < useful) this.#updates++;
    else this.cheap('WINDOW_UPDATE frames');
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    const seconds = (nowMs - this.#filledMs) / 1000;
    this.#filledMs = nowMs;
    this.#costly = Math.min(COSTLY_BURST, this.#costly + seconds * COSTLY_PER_SECOND);
    this.#cheap = Math.min(CHEAP_BURST, this.#cheap + seconds * CHEAP_PER_SECOND);
  }
}

const COSTLY_BURST = 500;
const COSTLY_PER_SECOND = 50;
const CHEAP_BURST = 20_000;
const CHEAP_PER_SECOND = 5_000;

function flood(what: string): Http2Error {
  return new Http2Error(ERROR_CODE.enhanceYourCalm, `too many ${what}`);
}
