import type { Clock } from '../../../runtime/clock.ts';
import { fileKey } from '../tail/identity/followed-files.ts';
import type { FoundUploads, Upload } from './find-uploads.ts';

/**
 * Decides which uploads are complete. An upload is complete when scans found it unchanged for a time, or when it was
 * renamed: an earlier scan saw the same file under an ignored name.
 *
 * The time is that of this process, not of the file: an upload may bring its own modification time, and the clock of a
 * file server may differ.
 */
export class Completeness {
  readonly #clock: Clock;
  readonly #trustsTimes: boolean;
  #seen = new Map<string, SeenUpload>();
  #ignored: ReadonlySet<string> = new Set();
  #nextDueMs: number | undefined;

  /** `trustsTimes`: a file that was old when it was found is complete, as a run that ends by itself needs it. */
  constructor(clock: Clock, { trustsTimes }: { readonly trustsTimes: boolean }) {
    this.#clock = clock;
    this.#trustsTimes = trustsTimes;
  }

  /** The time until the next upload may be complete; undefined when none is incomplete. */
  get dueInMs(): number | undefined {
    return this.#nextDueMs === undefined
      ? undefined
      : Math.max(0, this.#nextDueMs - this.#clock.monotonicMs());
  }

  /** A scan has found these uploads. */
  observe({ uploads, ignored }: Pick<FoundUploads, 'uploads' | 'ignored'>): void {
    const seen = new Map<string, SeenUpload>();
    for (const upload of uploads) seen.set(fileKey(upload), this.#see(upload));
    this.#seen = seen;
    this.#ignored = ignored;
    this.#nextDueMs = undefined;
    for (const upload of uploads) {
      const state = this.stateOf(upload);
      if (state.kind === 'incomplete')
        this.#nextDueMs = Math.min(state.dueMs, this.#nextDueMs ?? state.dueMs);
    }
  }

  stateOf(upload: Upload): UploadState {
    const seen = this.#seen.get(fileKey(upload));
    if (seen === undefined || seen.version !== upload.version)
      return {
        kind: 'incomplete',
        dueMs: this.#clock.monotonicMs() + upload.entry.completeMs,
        isGrowing: true,
      };
    const dueMs = seen.sinceMs + upload.entry.completeMs;
    if (seen.isRenamed || this.#clock.monotonicMs() >= dueMs) return { kind: 'complete' };
    return { kind: 'incomplete', dueMs, isGrowing: seen.hasChanged };
  }

  #see(upload: Upload): SeenUpload {
    const key = fileKey(upload);
    const { version } = upload;
    const before = this.#seen.get(key);
    if (before?.version === version) return before;
    const isRenamed = before === undefined && this.#ignored.has(key);
    const sinceMs = this.#clock.monotonicMs() - (before === undefined ? this.#ageOf(upload) : 0);
    return { version, sinceMs, isRenamed, hasChanged: before !== undefined };
  }

  #ageOf({ changedUnixMs }: Upload): number {
    if (!this.#trustsTimes) return 0;
    return Math.max(0, Number(this.#clock.nowUnixNano() / 1_000_000n) - changedUnixMs);
  }
}

/** `isGrowing`: a scan has found it changed. */
export type UploadState =
  | { readonly kind: 'complete' }
  | { readonly kind: 'incomplete'; readonly dueMs: number; readonly isGrowing: boolean };

interface SeenUpload {
  readonly version: string;
  /** Monotonic. */
  readonly sinceMs: number;
  readonly isRenamed: boolean;
  readonly hasChanged: boolean;
}
