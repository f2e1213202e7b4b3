import type { Emitter, FlushOutcome, GroupLimits } from '../../emitters/emitter.ts';
import type { Delivered, Outcome, Rejected, Retry } from '../../emitters/outcome.ts';
import type { Batch } from '../../records/batch.ts';
import type { Json } from '../../records/json.ts';
import type { Clock } from '../../runtime/clock.ts';
import { isBefore, laterOf } from '../../storage/queue/cursor-order.ts';
import type { CursorPoint, QueueCursor } from '../../storage/queue/queue-contract.ts';
import type { Committer } from './committer.ts';
import { isIsolated } from './delivery-state.ts';
import { FlushGroup } from './flush-group.ts';
import type { Lifecycle } from './lifecycle.ts';

/**
 * The progress of one emitter: emitted, flushed and committed.
 *
 *     cursor.committed  <=  group.begin  <=  group.end
 *     on disk               flushed          emitted
 *
 * Only `drop-oldest` moves `cursor.committed` past the others; then they follow.
 */
export class Progress {
  readonly #parts: ProgressParts;
  #group: FlushGroup;

  constructor(parts: ProgressParts) {
    this.#parts = parts;
    this.#group = new FlushGroup(parts.cursor.committed, parts.clock, parts.groupLimits);
  }

  /** The results since the last flush. */
  get group(): FlushGroup {
    return this.#group;
  }

  /** The queue dropped records that were not flushed. */
  get isOvertaken(): boolean {
    return isBefore(this.#group.begin, this.#parts.cursor.committed);
  }

  /**
   * Emits a batch and calls `record` when it is delivered; while isolating, it flushes and commits the batch
   * at once.
   */
  async emit(batch: Batch, record: (group: FlushGroup, outcome: Delivered) => void): Promise<Outcome> {
    const { emitter, signals } = this.#parts;
    const emitted = await emitter.emit(batch, signals.emit);
    if (emitted.kind !== 'delivered') return emitted;
    if (!this.#isIsolating) {
      record(this.#group, emitted);
      return emitted;
    }
    const flushed = await this.#flush();
    if (flushed.kind !== 'delivered') return flushed;
    record(this.#group, emitted);
    await this.#commit(flushed.state);
    return emitted;
  }

  /**
   * Flushes, and begins to commit; returns the outcome of a failed flush, after which the caller must rewind.
   */
  async close(): Promise<Retry | Rejected | undefined> {
    if (this.#group.isEmpty) return undefined;
    let state: Json | undefined;
    if (this.#group.isEmitted) {
      const flushed = await this.#flush();
      if (flushed.kind !== 'delivered') return flushed;
      state = flushed.state;
    }
    await this.#commit(state);
    return undefined;
  }

  /** Resolves when no commit is running and the emitter has been notified. */
  async committed(): Promise<void> {
    const { committer, lifecycle, emitter } = this.#parts;
    await committer.whenIdle();
    if (lifecycle.commits.kind !== 'unreported') return;
    lifecycle.on({ kind: 'commit-reported' });
    await emitter.committed?.();
  }

  /** Discards the results since the last flush; isolates batches up to `until`, and replays if requested. */
  rewind(until: CursorPoint, replays: boolean): CursorPoint {
    this.#parts.lifecycle.on({ kind: 'rewound', until, replays });
    this.#beginGroup(this.#stillQueued(this.#group.begin));
    return this.#group.begin;
  }

  /** After records were dropped, when the group is empty. */
  catchUp(): void {
    this.#beginGroup(this.#stillQueued(this.#group.end));
  }

  get #isIsolating(): boolean {
    return isIsolated(this.#parts.lifecycle.grouping, this.#group.end);
  }

  /** Never runs while the commit of the previous flush is pending. */
  async #flush(): Promise<FlushOutcome> {
    await this.committed();
    return await this.#parts.emitter.flush(this.#parts.signals.flush);
  }

  /** The next group begins at the end of this one, so that `isOvertaken` reports records that were dropped during the flush. */
  async #commit(state: Json | undefined): Promise<void> {
    const group = this.#group;
    this.#beginGroup(group.end);
    if (group.isEmitted) this.#parts.onFlushed();
    await this.#parts.committer.commit(group.result(state), this.#parts.signals.flush);
  }

  #stillQueued(point: CursorPoint): CursorPoint {
    return laterOf(point, this.#parts.cursor.committed);
  }

  #beginGroup(at: CursorPoint): void {
    const { clock, groupLimits, lifecycle } = this.#parts;
    this.#group = new FlushGroup(at, clock, groupLimits);
    lifecycle.on({ kind: 'group-began', at });
  }
}

export interface ProgressParts {
  /** Returns outcomes; never throws. */
  readonly emitter: Emitter;
  readonly cursor: QueueCursor;
  readonly lifecycle: Lifecycle;
  readonly committer: Committer;
  readonly groupLimits: GroupLimits | undefined;
  readonly clock: Clock;
  readonly signals: DeliverySignals;
  /** The destination has stored records permanently. */
  readonly onFlushed: () => void;
}

export interface DeliverySignals {
  /** Aborts at the deadline. */
  readonly emit: AbortSignal;
  /** Aborts shortly after `emit`: emitted records are still flushed and committed if possible. */
  readonly flush: AbortSignal;
}
