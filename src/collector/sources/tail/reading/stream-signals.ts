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

export function signalsOf<Stream>(stream: Stream, owner: StreamOwner<Stream>): StreamSignals {
  return {
    contentLost: () => owner.contentLost(stream),
    unreadable: () => owner.unreadable(stream),
    diverged: () => owner.diverged(stream),
    changed: () => owner.changed(stream),
    save: () => owner.save(stream),
    progressed: () => owner.progressed(stream),
    wake: () => owner.wake(stream),
  };
}
