/**
 * How much a peer may send, on one stream or on a connection. The sum of the bytes that it may send and of those that are
 * not consumed approaches `target`. Updates are sent when they grant at least half of it, so they are few.
 */
export class ReceiveWindow {
  #target: number;
  /** Bytes that the peer may send. Negative after the target became smaller. */
  #available: number;
  #unconsumed = 0;

  constructor(target: number, available: number) {
    this.#target = target;
    this.#available = available;
  }

  get unconsumedBytes(): number {
    return this.#unconsumed;
  }

  /** False: the peer sent more than it may. */
  receive(bytes: number): boolean {
    if (bytes > this.#available) return false;
    this.#available -= bytes;
    this.#unconsumed += bytes;
    return true;
  }

  /** Returns the bytes that were not consumed before. */
  consume(bytes: number): number {
    const consumed = Math.min(bytes, this.#unconsumed);
    this.#unconsumed -= consumed;
    return consumed;
  }

  /**
   * Returns the increment of an update that must be sent now; 0: none. It is sent when it is at least `minBytes`, or when
   * the peer can send little.
   */
  grant(minBytes: number = this.#target / 2): number {
    const increment = this.#target - this.#available - this.#unconsumed;
    const isStarved = this.#available < Math.min(STARVED_BYTES, this.#target / 4);
    if (increment <= 0 || (increment < minBytes && !isStarved)) return 0;
    this.#available += increment;
    return increment;
  }

  aim(target: number): void {
    this.#target = target;
  }

  /** A setting has changed the bytes that the peer may send. */
  shift(bytes: number): void {
    this.#available += bytes;
  }
}

/** One frame of the default size. */
const STARVED_BYTES = 16_384;
