import { Timer } from '../../../runtime/async/timer.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { DirectoryWatcher } from '../tail/scanning/directory-watcher.ts';

/** Minimum time between two scans. */
const SCAN_PAUSE_MS = 100;

/** Decides when to scan: when a name appears or changes, when an upload may be complete, and at every poll. */
export class HarvestTrigger {
  readonly #options: HarvestTriggerOptions;
  readonly #watcher: DirectoryWatcher;
  readonly #poll: Timer;
  readonly #due: Timer;
  readonly #request: Timer;
  #isStopped = false;

  constructor(options: HarvestTriggerOptions) {
    const { clock, scan, unwatched } = options;
    this.#options = options;
    this.#poll = new Timer(clock, scan);
    this.#due = new Timer(clock, scan);
    this.#request = new Timer(clock, scan);
    this.#watcher = new DirectoryWatcher({
      // A write only delays the completion of an upload, and the next scan finds it.
      changed: (_path, change) => (change === 'name' ? this.request() : undefined),
      failed: unwatched,
    });
  }

  /** A scan has ended. `dueInMs`: the time until an upload may be complete. */
  ended(directories: ReadonlySet<string>, dueInMs: number | undefined): void {
    if (this.#isStopped) return;
    this.#poll.set(this.#options.pollMs);
    this.#due.cancel();
    if (dueInMs !== undefined) this.#due.set(Math.max(SCAN_PAUSE_MS, dueInMs));
    // Changes in a directory that was not watched until now were not reported.
    if (!this.#options.once && this.#watcher.watch(directories)) this.request();
  }

  request(): void {
    if (!this.#isStopped) this.#request.setIfUnset(SCAN_PAUSE_MS);
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of [this.#poll, this.#due, this.#request]) timer.cancel();
    this.#watcher.close();
  }
}

export interface HarvestTriggerOptions {
  readonly clock: Clock;
  readonly pollMs: number;
  /** The run ends by itself: uploads that appear later are not read. */
  readonly once: boolean;
  readonly scan: () => void;
  readonly unwatched: (path: string, err: Error) => void;
}
