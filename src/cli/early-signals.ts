type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

/**
 * Keeps signals that arrive while modules load, before the service listens to them: without a listener they
 * would end the process. Imports nothing, so that it is there at once.
 */
export class EarlySignals {
  readonly #held = new Map<Signal, { count: number; readonly hold: () => void }>();

  hold(signals: readonly Signal[]): void {
    for (const signal of signals) {
      const held = { count: 0, hold: () => void held.count++ };
      this.#held.set(signal, held);
      process.on(signal, held.hold);
    }
  }

  /**
   * Passes the signal to the listener from now on, and those kept until now. Returns a function that removes
   * the listener.
   */
  listen(signal: Signal, listener: () => void): () => void {
    process.on(signal, listener);
    const held = this.#held.get(signal);
    this.#held.delete(signal);
    if (held !== undefined) process.off(signal, held.hold);
    // A start does anyway what a SIGHUP requests.
    for (let count = signal === 'SIGHUP' ? 0 : (held?.count ?? 0); count > 0; count--) listener();
    return () => process.off(signal, listener);
  }
}
