import type { UnitBytes } from '../../../../formats/encodings/unit-bytes.ts';
import type { Check } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';
import type { RunningChecksum } from '../../../../records/running-checksum.ts';
import type { Clock } from '../../../../runtime/clock.ts';
import type { SkippedHoles } from '../files/file-checkpoint.ts';
import type { VerifiedFile } from '../files/verified-file.ts';
import { NulScan } from './nul-runs.ts';

const HOLE_IDLE_MS = 1_000;

/**
 * Each gap adds a range to the ledger, which permits 1,000 ranges for a stream. After this number of holes,
 * NUL bytes are sent. The rest of the limit is for holes that an older checkpoint has not counted, and for
 * failovers.
 */
const MAX_HOLES = 200;

/**
 * NUL bytes at the end of a large file (preallocation) are scanned again only after a pause that grows with
 * their number, so that these scans need only a small part of the time. A scan finds text that was written
 * after them.
 */
const SCANNED_AT_ONCE_BYTES = 4 * 1024 * 1024;
const SCANNED_BYTES_PER_MS = 64 * 1024;
const LONGEST_PAUSE_MS = 30_000;

/** Shared by all streams without holes. */
const NO_HOLES: SkippedHoles = { count: 0, end: 0 };

/** The holes of one stream: decides whether the NUL bytes at a position are skipped. */
export class NulHoles {
  readonly #clock: Clock;
  #scan: NulScan | undefined;
  #hole: Hole | undefined;
  #blank: BlankEnd | undefined;
  #skipped: SkippedHoles;

  constructor(clock: Clock, skipped: SkippedHoles = NO_HOLES) {
    this.#clock = clock;
    this.#skipped = skipped;
  }

  get skipped(): SkippedHoles {
    return this.#skipped;
  }

  /** False when a run of NUL bytes at this position is sent as it is. */
  mayBeSkippedAt(position: Position): boolean {
    return position < this.#skipped.end || this.#skipped.count < MAX_HOLES;
  }

  /** Where reading continues at the beginning of a hole that was skipped. */
  after(position: Position): AfterHole | undefined {
    return this.#hole?.start === position ? this.#hole.after : undefined;
  }

  /** The size of a file without the NUL bytes at its end. */
  contentEnd(sizeBytes: number): Position {
    return this.#blank?.sizeBytes === sizeBytes ? this.#blank.start : sizeBytes;
  }

  /**
   * Decides about the NUL bytes at `start`. They are skipped when other bytes follow and the hole was idle
   * for a second.
   */
  async decide(start: Position, context: HoleContext): Promise<HoleDecision> {
    const pause = this.#pause(start, context.sizeBytes);
    if (pause !== undefined && pause.ms > 0) return pause;
    const scan =
      this.#scan?.start === start ? this.#scan : new NulScan(start, context.checksum, context.unitBytes);
    this.#scan = scan;
    const end = await context.file.access.use(
      async (handle) => (await scan.step(handle, context.buffer)) ?? 'unfinished',
    );
    if (end === 'unfinished') return { kind: 'scan on' };
    this.#scan = undefined;
    if (end === undefined) return { kind: 'unreadable' };
    if (end === 'end of file') return this.#recordBlankEnd(start, context.sizeBytes);
    return this.#found(scan, end, context.file);
  }

  /** The decision while the next scan has to wait. */
  #pause(start: Position, sizeBytes: number) {
    const nowMs = this.#clock.monotonicMs();
    if (this.#hole?.start === start)
      return { kind: 'wait', ms: this.#hole.sinceMs + HOLE_IDLE_MS - nowMs } as const;
    if (this.#blank?.start !== start || this.#blank.sizeBytes !== sizeBytes) return undefined;
    return { kind: 'end of file', ms: this.#blank.scanAgainAtMs - nowMs } as const;
  }

  #recordBlankEnd(start: Position, sizeBytes: number): HoleDecision {
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

/** The next step at a run of NUL bytes. */
export type HoleDecision =
  /** `isNew`: the hole was not skipped before. */
  | { readonly kind: 'skip'; readonly after: AfterHole; readonly isNew: boolean }
  /** The scan continues after other streams were read. */
  | { readonly kind: 'scan on' }
  | { readonly kind: 'wait'; readonly ms: number }
  /** No other bytes follow yet. `ms`: the file is not scanned again before that. */
  | { readonly kind: 'end of file'; readonly ms?: number }
  | { readonly kind: 'unreadable' };

export interface HoleContext {
  readonly file: VerifiedFile;
  readonly buffer: Buffer;
  readonly sizeBytes: number;
  readonly unitBytes: UnitBytes;
  /** The checksum of the stream's bytes before the run. */
  readonly checksum: RunningChecksum | undefined;
}
