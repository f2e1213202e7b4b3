/**
 * Injected time: all code that waits or uses dates gets a clock, so that tests control it. Waiting is
 * monotonic; a jump of the wall clock moves no timer.
 */
export interface Clock {
  /** Wall clock, nanoseconds since 1970. For dating, never for waiting. */
  nowUnixNano(): bigint;
  /** Milliseconds since a fixed moment; never decreases. */
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

/** Node fires a timeout of more than 24 days at once; configured durations may be longer. */
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
