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
      const cancel = longTimeout(ms, { keepsAlive: true }, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = () => {
        cancel();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  after: (ms, callback) => longTimeout(ms, { keepsAlive: false }, callback),
};

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** Node lets a timeout of more than 24 days fire at once; durations that people configure may be longer. */
function longTimeout(ms: number, { keepsAlive }: { keepsAlive: boolean }, callback: () => void): Cancel {
  let timer: NodeJS.Timeout;
  const wait = (restMs: number) => {
    const stepMs = Math.min(restMs, LONGEST_TIMEOUT_MS);
    timer = setTimeout(() => (restMs > stepMs ? wait(restMs - stepMs) : callback()), stepMs);
    if (!keepsAlive) timer.unref();
  };
  wait(ms);
  return () => clearTimeout(timer);
}
