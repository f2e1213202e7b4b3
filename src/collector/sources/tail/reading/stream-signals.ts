/** The events that one stream reports to its owner. Each call returns at once, except `save`. */
export interface StreamSignals {
  /** The file has other bytes than those that were read, or it is gone. */
  contentLost(): void;
  /** The file exists and cannot be read. */
  unreadable(): void;
  /** The aggregator has other bytes under the id of the stream: another stream must continue in its place. */
  diverged(): void;
  /** The checkpoint has changed. */
  changed(): void;
  /** Resolves when the checkpoint is on disk; false when it cannot be written now. */
  save(): Promise<boolean>;
  /** Everything that was there is read, or a part of it was accepted. */
  progressed(): void;
  /** There may be more to read. */
  wake(): void;
}

/** The receiver of the signals of many streams. */
export type StreamOwner<Stream> = {
  readonly [Signal in keyof StreamSignals]: (stream: Stream) => ReturnType<StreamSignals[Signal]>;
};

/** The signals of one stream. There are many streams, so they share these methods. */
export class SignalsOf<Stream> implements StreamSignals {
  readonly #stream: Stream;
  readonly #owner: StreamOwner<Stream>;

  constructor(stream: Stream, owner: StreamOwner<Stream>) {
    this.#stream = stream;
    this.#owner = owner;
  }

  contentLost(): void {
    this.#owner.contentLost(this.#stream);
  }

  unreadable(): void {
    this.#owner.unreadable(this.#stream);
  }

  diverged(): void {
    this.#owner.diverged(this.#stream);
  }

  changed(): void {
    this.#owner.changed(this.#stream);
  }

  save(): Promise<boolean> {
    return this.#owner.save(this.#stream);
  }

  progressed(): void {
    this.#owner.progressed(this.#stream);
  }

  wake(): void {
    this.#owner.wake(this.#stream);
  }
}
