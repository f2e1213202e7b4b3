/** How far a stream is in its life. The table of transitions is at the top of file-stream.ts. */
export class StreamPhase {
  #phase: Phase = 'queued';
  #isOpened = false;
  #isHandedOver: boolean;

  constructor(isHandedOver: boolean) {
    this.#isHandedOver = isHandedOver;
  }

  /** The publisher knows the stream. It stays true after the end. */
  get isOpened(): boolean {
    return this.#isOpened;
  }

  get isHeldBack(): boolean {
    return this.#phase === 'held back';
  }

  /** No more bytes are read. */
  get isEnded(): boolean {
    return this.#phase === 'ended' || this.#phase === 'diverged';
  }

  get isDiverged(): boolean {
    return this.#phase === 'diverged';
  }

  /** The next generation of the path does not wait for this one. */
  get isHandedOver(): boolean {
    return this.#isHandedOver;
  }

  open(): void {
    this.#isOpened = true;
    if (!this.isEnded) this.#phase = 'open';
  }

  holdBack(): void {
    if (this.#phase === 'open') this.#phase = 'held back';
  }

  /** True when this is a change. */
  handOver(): boolean {
    if (this.#isHandedOver) return false;
    this.#isHandedOver = true;
    return true;
  }

  end(): void {
    if (this.#phase !== 'diverged') this.#phase = 'ended';
  }

  /** False for a stream that has ended. */
  diverge(): boolean {
    if (this.isEnded) return false;
    this.#phase = 'diverged';
    return true;
  }
}

type Phase = 'queued' | 'open' | 'held back' | 'ended' | 'diverged';
