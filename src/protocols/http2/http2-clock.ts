/** The part of a clock that HTTP/2 needs. */
export interface Http2Clock {
  /** Milliseconds since a fixed moment; never decreases. */
  monotonicMs(): number;
  /** Calls `callback` once after `ms`. Returns a function that cancels it. */
  after(ms: number, callback: () => void): () => void;
}
