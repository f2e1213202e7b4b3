import type { Cancel, Clock } from '../clock.ts';

/**
 * Calls `work` every `intervalMs`, counted from the end of the previous call, until the returned function is
 * called. `work` never throws or rejects.
 */
export function repeat(clock: Clock, intervalMs: number, work: () => Promise<void> | void): Cancel {
  let isCancelled = false;
  let cancel: Cancel = () => {};
  const next = () => {
    if (!isCancelled) cancel = clock.after(intervalMs, run);
  };
  const run = () => {
    const running = work();
    if (running === undefined) next();
    else void running.then(next);
  };
  next();
  return () => {
    isCancelled = true;
    cancel();
  };
}
