/** The way to the peer: a socket. */
export interface Http2Output {
  /**
   * Writes the parts in their order, with one system call if possible, and never copies them. `onWritten`: the parts are
   * not needed any more. It is called later, never during the call, and never when the connection fails.
   */
  write(parts: readonly Uint8Array[], onWritten: () => void): void;
  /** Closes the connection after everything is written. */
  end(): void;
  /** Closes the connection at once. */
  destroy(): void;
}
