import { repeat } from '../../../runtime/async/repeat.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import { WindowShare } from './window-share.ts';

/**
 * An HTTP/2 peer may send as many bytes as the receiver's window, and then waits for an update. The default of 64 KiB
 * allows 3 MB/s with a round trip of 20 ms, and half the speed even on the loopback interface.
 *
 * A stalled call may fill its window, and the aggregator holds these bytes. So all windows together have a limit of 96 MiB.
 */
export const WINDOWS_BYTES = 96 * 1024 * 1024;
/** For the smallest window of each connection. */
const BASE_BYTES = WINDOWS_BYTES / 3;
const WIDEST_BYTES = 8 * 1024 * 1024;
/** A wide window that is not much wider than the smallest one is not worth its settings. */
const NARROWEST_BYTES = 64 * 1024;
const LARGEST_BASE_BYTES = 16 * 1024;
const CHECK_EVERY_MS = 10_000;

/** The wide window when `connections` have one. A power of two, so that it changes seldom. */
export function windowFor(connections: number): number {
  // Half of what there is: a window that becomes narrower is returned later than the next one is given.
  const share = (WINDOWS_BYTES - BASE_BYTES) / 2 / Math.max(1, connections);
  return Math.min(WIDEST_BYTES, 2 ** Math.floor(Math.log2(share)));
}

/**
 * Gives each connection a window, within the limit of all:
 *
 *   - A third of the limit is divided by the number of connections that are permitted. Each connection always has this window,
 *     at most 16 KiB, so none ever waits for another one.
 *   - The rest is lent, as wide windows for some hundred connections. Few get wide ones, many get narrower ones. A new
 *     connection gets one if there is room. Later, a connection requests one with a message that is larger than its window
 *     and 8 KiB, and waits until another one returns its own.
 *   - A connection that has not used its wide window for some seconds returns it, if more than a few connections have one.
 */
export class SharedWindows {
  readonly #baseBytes: number;
  readonly #wide = new Set<WindowShare>();
  /** They have requested a wide window. The oldest request first. */
  readonly #waiting = new Set<WindowShare>();
  /** Those with a wide window for which others have not returned enough. */
  readonly #short = new Set<WindowShare>();
  /** What is reserved for each connection. */
  readonly #reserved = new Map<WindowShare, number>();
  #lentBytes = 0;
  readonly #cancelChecks: Cancel;

  constructor({ connections, clock }: SharedWindowsOptions) {
    this.#baseBytes = Math.max(1, Math.min(LARGEST_BASE_BYTES, Math.floor(BASE_BYTES / connections)));
    this.#cancelChecks = repeat(clock, CHECK_EVERY_MS, () => this.#check());
  }

  stop(): void {
    this.#cancelChecks();
  }

  /** The window of one more connection. */
  open(): WindowShare {
    const share = new WindowShare(this.#baseBytes, {
      changed: (changed) => this.#recount(changed),
      wanted: (wanting) => this.#want(wanting),
      closed: (closed) => this.#close(closed),
    });
    this.#reserved.set(share, this.#baseBytes);
    if (this.#lend(share)) this.#narrow();
    return share;
  }

  get #target(): number {
    return windowFor(this.#wide.size);
  }

  #want(share: WindowShare): void {
    if (this.#lend(share)) this.#narrow();
    else {
      share.state = 'waiting';
      this.#waiting.add(share);
    }
  }

  /** False: too many connections have wide windows. */
  #lend(share: WindowShare): boolean {
    if (windowFor(this.#wide.size + 1) < NARROWEST_BYTES) return false;
    this.#waiting.delete(share);
    this.#wide.add(share);
    share.state = 'wide';
    this.#raise(share);
    return true;
  }

  #raise(share: WindowShare): void {
    const bytes = this.#target;
    const missingBytes = Math.max(0, bytes - share.reservedBytes);
    if (this.#lentBytes + missingBytes > WINDOWS_BYTES - BASE_BYTES) this.#short.add(share);
    else {
      this.#short.delete(share);
      share.resize(bytes);
    }
  }

  #narrow(): void {
    const bytes = this.#target;
    for (const share of this.#wide) if (share.windowBytes > bytes) share.resize(bytes);
  }

  #recount(share: WindowShare): void {
    const before = this.#reserved.get(share);
    if (before === undefined) return;
    const bytes = share.reservedBytes;
    this.#reserved.set(share, bytes);
    this.#lentBytes += bytes - before;
    if (bytes < before) this.#returned();
  }

  #returned(): void {
    for (const share of [...this.#short]) {
      this.#raise(share);
      if (this.#short.has(share)) return;
    }
  }

  #takeBack(share: WindowShare): void {
    share.state = 'base';
    this.#waiting.delete(share);
    this.#short.delete(share);
    if (!this.#wide.delete(share)) return;
    const [next] = this.#waiting;
    if (next !== undefined) this.#lend(next);
  }

  #close(share: WindowShare): void {
    const bytes = this.#reserved.get(share);
    if (bytes === undefined) return;
    this.#reserved.delete(share);
    this.#lentBytes -= bytes - this.#baseBytes;
    this.#takeBack(share);
    this.#returned();
  }

  #check(): void {
    for (const share of [...this.#wide]) {
      if (share.takeUse() || this.#target === WIDEST_BYTES) continue;
      this.#takeBack(share);
      share.resize(this.#baseBytes);
    }
    for (const share of [...this.#wide]) if (share.windowBytes < this.#target) this.#raise(share);
  }
}

export interface SharedWindowsOptions {
  /** The limit of connections. */
  readonly connections: number;
  readonly clock: Clock;
}
