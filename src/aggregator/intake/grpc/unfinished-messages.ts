import { ERROR_CODE } from '../../../protocols/http2/error-codes.ts';
import { repeat } from '../../../runtime/async/repeat.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';

/** A call whose messages are counted. */
export interface UnfinishedCall {
  /** `host`: the address without its port. */
  readonly peer: { readonly host: string };
  /** The call is not read. */
  readonly isPaused: boolean;
  reset(code: number, reason: string): void;
}

interface Progress {
  bytes: number;
  begunMs: number;
}

const CHECK_EVERY_MS = 5_000;

/**
 * The received bytes of a message are in memory until the message is complete, on each call. A peer that never completes its
 * messages makes the aggregator hold 6 MiB for each call. This class counts those bytes over all calls:
 *
 *   - Above the limit, it ends a call of the peer with the most incomplete bytes: the call with the oldest message.
 *   - It ends a call whose message is not complete in time. While the aggregator does not read the call, no time passes.
 */
export class UnfinishedMessages {
  readonly #options: UnfinishedOptions;
  /** The calls with an incomplete message, the oldest first. */
  readonly #calls = new Map<UnfinishedCall, Progress>();
  #bytes = 0;
  readonly #cancelChecks: Cancel;

  constructor(options: UnfinishedOptions) {
    this.#options = options;
    this.#cancelChecks = repeat(options.clock, CHECK_EVERY_MS, () => this.#checkAll());
  }

  stop(): void {
    this.#cancelChecks();
  }

  /** The call has received bytes. `unfinishedBytes`: those of an incomplete message. `hasMessage`: another is complete. */
  progressed(call: UnfinishedCall, unfinishedBytes: number, hasMessage: boolean): void {
    const known = this.#calls.get(call);
    const beforeBytes = known?.bytes ?? 0;
    const progress = hasMessage || known === undefined ? this.#begin() : known;
    progress.bytes = unfinishedBytes;
    // A message that begins now is the newest.
    if (progress !== known || unfinishedBytes === 0) this.#calls.delete(call);
    if (unfinishedBytes > 0) this.#calls.set(call, progress);
    this.#count(unfinishedBytes - beforeBytes);
    while (this.#bytes > this.#options.limitBytes && this.#calls.size > 0)
      this.#end(this.#victim(), 'too many bytes of incomplete messages');
  }

  /** The call is over. */
  forget(call: UnfinishedCall): void {
    const progress = this.#calls.get(call);
    if (!this.#calls.delete(call)) return;
    this.#count(-(progress?.bytes ?? 0));
  }

  #begin(): Progress {
    return { bytes: 0, begunMs: this.#options.clock.monotonicMs() };
  }

  #victim(): UnfinishedCall | undefined {
    const byPeer = new Map<string, number>();
    for (const [{ peer }, { bytes }] of this.#calls)
      byPeer.set(peer.host, (byPeer.get(peer.host) ?? 0) + bytes);
    const [worst] = [...byPeer].reduce((a, b) => (b[1] > a[1] ? b : a), ['', -1]);
    return [...this.#calls.keys()].find(({ peer }) => peer.host === worst);
  }

  #end(call: UnfinishedCall | undefined, reason: string): void {
    if (call === undefined) return;
    this.forget(call);
    this.#options.onEnded(call.peer.host, reason);
    call.reset(ERROR_CODE.enhanceYourCalm, reason);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (bytes !== 0) this.#options.onBytes(this.#bytes);
  }

  #checkAll(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [call, progress] of [...this.#calls]) {
      if (call.isPaused) progress.begunMs = nowMs;
      else if (nowMs - progress.begunMs >= this.#options.withinMs)
        this.#end(call, 'a message was not complete in time');
    }
  }
}

export interface UnfinishedOptions {
  readonly limitBytes: number;
  readonly withinMs: number;
  readonly clock: Clock;
  /** A call was ended because of a limit. */
  readonly onEnded: (peer: string, reason: string) => void;
  readonly onBytes: (bytes: number) => void;
}
