import type { Check } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';
import type { RunningChecksum } from '../../../../records/running-checksum.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import type { SkippedHoles } from '../files/file-checkpoint.ts';
import type { VerifiedFile } from '../files/verified-file.ts';
import { NulScan } from './nul-runs.ts';

const HOLE_IDLE_MS = 1_000;

/**
 * A gap is one more range in the ledger, which allows 1,000 for a stream. After this many holes, NUL bytes are sent as
 * they are. The rest of the limit is for holes that an older checkpoint has not counted, and for failovers.
 */
const MAX_HOLES = 200;

/**
 * NUL bytes at the end of a large file (preallocation) are scanned again only after a pause that grows with their
 * number: a scan may find text that was written after them, and must not take all of the time for that.
 */
const SCANNED_AT_ONCE_BYTES = 4 * 1024 * 1024;
const SCANNED_BYTES_PER_MS = 64 * 1024;
const LONGEST_PAUSE_MS = 30_000;

interface Hole {
  readonly start: Position;
  readonly end: Position;
  /** When it was found, monotonic. */
  readonly sinceMs: number;
  readonly after?: AfterHole;
}

/** Where reading continues after a hole, with the evidence for it. */
export interface AfterHole {
  readonly end: Position;
  readonly check: Check;
  readonly checksum: RunningChecksum | undefined;
}

interface BlankEnd {
  readonly start: Position;
  readonly sizeBytes: number;
  /** Monotonic. */
  readonly scanAgainAtMs: number;
}

/** What to do at a run of NUL bytes. */
export type HoleDecision =
  /** `isNew`: the hole was not skipped before. */
  | { readonly kind: 'skip'; readonly after: AfterHole; readonly isNew: boolean }
  /** Others are read first; then it is scanned further. */
  | { readonly kind: 'scan on' }
  | { readonly kind: 'wait'; readonly ms: number }
  /** No other bytes follow yet. `ms`: the file is not scanned again before that. */
  | { readonly kind: 'end of file'; readonly ms?: number }
  | { readonly kind: 'unreadable' };

export interface HoleContext {
  readonly file: VerifiedFile;
  readonly buffer: Buffer;
  readonly sizeBytes: number;
  /** Of the stream's bytes before the run. */
  readonly checksum: RunningChecksum | undefined;
}

/** The holes of one stream: decides when the NUL bytes at the place where reading is are skipped. */
export class NulHoles {
  readonly #clock: Clock;
  #scan: NulScan | undefined;
  #hole: Hole | undefined;
  #blank: BlankEnd | undefined;
  #skipped: SkippedHoles;

  constructor(clock: Clock, skipped: SkippedHoles = { count: 0, end: 0 }) {
    this.#clock = clock;
    this.#skipped = skipped;
  }

  get skipped(): SkippedHoles {
    return this.#skipped;
  }

  /** A run of NUL bytes at this position is skipped; otherwise it is sent. */
  mayBeSkippedAt(position: Position): boolean {
    return position < this.#skipped.end || this.#skipped.count < MAX_HOLES;
  }

  /** Where reading continues when it is at the beginning of a hole that was skipped. */
  after(position: Position): AfterHole | undefined {
    return this.#hole?.start === position ? this.#hole.after : undefined;
  }

  /** The size of a file without the NUL bytes at its end. */
  contentEnd(sizeBytes: number): Position {
    return this.#blank?.sizeBytes === sizeBytes ? this.#blank.start : sizeBytes;
  }

  /** Decides about the NUL bytes at `start`: they are skipped when they have rested and other bytes follow. */
  async decide(start: Position, context: HoleContext): Promise<HoleDecision> {
    const pause = this.#pause(start, context.sizeBytes);
    if (pause !== undefined && pause.ms > 0) return pause;
    const scan = this.#scan?.start === start ? this.#scan : new NulScan(start, context.checksum);
    this.#scan = scan;
    const end = await context.file.access.use(
      async (handle) => (await scan.step(handle, context.buffer)) ?? 'unfinished',
    );
    if (end === 'unfinished') return { kind: 'scan on' };
    this.#scan = undefined;
    if (end === undefined) return { kind: 'unreadable' };
    if (end === 'end of file') return this.#noteBlank(start, context.sizeBytes);
    return this.#found(scan, end, context.file);
  }

  /** What to do before the next scan. */
  #pause(start: Position, sizeBytes: number) {
    const nowMs = this.#clock.monotonicMs();
    if (this.#hole?.start === start)
      return { kind: 'wait', ms: this.#hole.sinceMs + HOLE_IDLE_MS - nowMs } as const;
    if (this.#blank?.start !== start || this.#blank.sizeBytes !== sizeBytes) return undefined;
    return { kind: 'end of file', ms: this.#blank.scanAgainAtMs - nowMs } as const;
  }

  #noteBlank(start: Position, sizeBytes: number): HoleDecision {
    const bytes = sizeBytes - start;
    const pauseMs =
      bytes <= SCANNED_AT_ONCE_BYTES ? 0 : Math.min(LONGEST_PAUSE_MS, bytes / SCANNED_BYTES_PER_MS);
    this.#blank = { start, sizeBytes, scanAgainAtMs: this.#clock.monotonicMs() + pauseMs };
    this.#hole = undefined;
    return { kind: 'end of file' };
  }

  async #found({ start, checksum }: NulScan, end: Position, file: VerifiedFile): Promise<HoleDecision> {
    if (this.#hole?.start !== start || this.#hole.end !== end) {
      this.#hole = { start, end, sinceMs: this.#clock.monotonicMs() };
      return { kind: 'wait', ms: HOLE_IDLE_MS };
    }
    const check = await file.checkAt(end);
    if (check === undefined || check === 'shorter') return { kind: 'unreadable' };
    const after = { end, check, checksum };
    this.#hole = { ...this.#hole, after };
    return { kind: 'skip', after, isNew: this.#count(end) };
  }

  #count(end: Position): boolean {
    if (end <= this.#skipped.end) return false;
    this.#skipped = { count: this.#skipped.count + 1, end };
    return true;
  }
}
