/**
 * Time, injected: what waits or dates asks a clock, so that tests turn it by hand.
 * Waiting is monotonic; a jump of the wall clock moves no timer.
 */
export interface Clock {
  /** Wall clock, nanoseconds since 1970. For dating, never for waiting. */
  nowUnixNano(): bigint;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `callback` once after `ms`, unless cancelled. Does not keep the process alive. */
  after(ms: number, callback: () => void): Cancel;
}

export type Cancel = () => void;

export const systemClock: Clock = {
  nowUnixNano: () => BigInt(Date.now()) * 1_000_000n,
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
