import { Timer } from '../../../../runtime/async/timer.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import type { TailEvents } from '../files/events.ts';
import type { FoundFiles } from '../files/find-files.ts';
import type { PathPatterns } from '../files/path-patterns.ts';
import type { FollowedFiles } from '../identity/followed-files.ts';
import type { FileStream } from '../reading/file-stream.ts';
import { DirectoryWatcher, type PathChange } from './directory-watcher.ts';

/** After a scan, the next one waits 20 times as long as the scan took, within these limits. */
const SCAN_PAUSE_MS = { shortest: 100, longest: 2_000 };

/**
 * Decides when to scan: soon after a directory has reported a change, and at every poll. A change of the
 * content of a followed file needs no scan: it wakes the stream.
 */
export class ScanTrigger {
  readonly #parts: ScanTriggerParts;
  readonly #watcher: DirectoryWatcher;
  readonly #pollTimer: Timer;
  readonly #scanTimer: Timer;
  /** Streams, by the paths where their bytes may change. */
  #byPath = new Map<string, FileStream>();
  #directories: ReadonlySet<string> = new Set();
  #isStopped = false;
  #allowedAtMs = 0;

  constructor(parts: ScanTriggerParts) {
    const { clock, events, scan } = parts;
    this.#parts = parts;
    this.#pollTimer = new Timer(clock, () => scan('poll'));
    this.#scanTimer = new Timer(clock, () => scan('change'));
    this.#watcher = new DirectoryWatcher({
      changed: (path, change) => this.#changed(path, change),
      failed: (path, err) => events.unwatched({ path, err }),
    });
  }

  /** A scan begins. */
  began(): void {
    this.#scanTimer.cancel();
    this.#pollTimer.set(this.#parts.pollMs);
  }

  /** A poll begins, which may need no scan. A scan that was requested is made. */
  polled(): void {
    if (!this.#isStopped) this.#pollTimer.set(this.#parts.pollMs);
  }

  /** A scan that took `ms` has ended: watches the directories in which something may change. */
  ended(found: FoundFiles, ms: number): void {
    const { shortest, longest } = SCAN_PAUSE_MS;
    this.#allowedAtMs = this.#parts.clock.monotonicMs() + Math.min(longest, Math.max(shortest, 20 * ms));
    this.#indexPaths(found);
    if (this.#isStopped) return;
    this.#directories = found.directories;
    // Changes in a directory that was not watched until now were not reported.
    if (this.#watcher.watch(found.directories)) this.request();
  }

  /** Scans as soon as the pause after the last scan is over. */
  request(): void {
    if (this.#isStopped) return;
    this.#scanTimer.setIfUnset(Math.max(0, this.#allowedAtMs - this.#parts.clock.monotonicMs()));
  }

  stop(): void {
    this.#isStopped = true;
    this.#pollTimer.cancel();
    this.#scanTimer.cancel();
    this.#watcher.close();
  }

  #changed(path: string, change: PathChange): void {
    const stream = this.#byPath.get(path);
    if (stream !== undefined && change === 'content') stream.wake();
    else if (stream !== undefined || this.#mayMatter(path, change)) this.request();
  }

  #mayMatter(path: string, change: PathChange): boolean {
    const { patterns } = this.#parts;
    if (patterns.entryFor(path) !== undefined) return true;
    return change === 'name' && (patterns.mayContain(path) || this.#directories.has(path));
  }

  #indexPaths({ files }: FoundFiles): void {
    this.#byPath = new Map();
    for (const stream of this.#parts.files.attached()) this.#byPath.set(stream.path, stream);
    for (const found of files) {
      const stream = this.#parts.files.streamOf(found);
      if (stream === undefined) continue;
      this.#byPath.set(found.path, stream);
      if (found.target !== undefined) this.#byPath.set(found.target, stream);
    }
  }
}

export interface ScanTriggerParts {
  readonly files: FollowedFiles;
  readonly patterns: PathPatterns;
  readonly clock: Clock;
  readonly events: TailEvents;
  readonly pollMs: number;
  readonly scan: (reason: ScanReason) => void;
}

/** A directory has reported a change, or nothing was reported for the time of a poll. */
export type ScanReason = 'change' | 'poll';
