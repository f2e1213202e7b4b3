import type { FlushOutcome, GroupLimits } from '../../emitters/emitter.ts';
import type { Rejected, Retry } from '../../emitters/outcome.ts';
import type { Batch } from '../../records/batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { CursorPoint, Json, QueueCursor } from '../../storage/queue-contract.ts';
import type { Committer } from './committer.ts';
import { isBefore, laterOf } from './cursor-order.ts';
import { Group } from './group.ts';
import type { Destination } from './guarded-emitter.ts';

/**
 * How far it has got: what the emitter was handed, what it has flushed, what is committed.
 *
 *     cursor.committed  <=  group.begin  <=  group.end
 *     on disk               flushed          emitted
 *
 * Only `drop-oldest` moves `cursor.committed` past the others; then they follow.
 */
export class Progress {
  readonly #parts: ProgressParts;
  #group: Group;
  /** Up to here every batch is flushed and committed by itself. */
  #carefulUntil: CursorPoint;
  #isCommitUntold = false;
  /** Replays too are flushed one by one. */
  isCarefulWithReplays = false;

  constructor(parts: ProgressParts) {
    this.#parts = parts;
    this.#group = new Group(parts.cursor.committed, parts.clock, parts.groupLimits);
    this.#carefulUntil = parts.cursor.committed;
  }

  /** What has been settled since the last flush. */
  get group(): Group {
    return this.#group;
  }

  /** The queue has dropped what was not flushed. */
  get isOvertaken(): boolean {
    return isBefore(this.#group.begin, this.#parts.cursor.committed);
  }

  /** Emits, and `settle`s with the group when that is delivered; carefully, if it has to be. */
  async emit(batch: Batch, settle: (group: Group) => void): Promise<FlushOutcome> {
    const { destination, signals } = this.#parts;
    const emitted = await destination.emit(batch, signals.emit);
    if (emitted.kind !== 'delivered') return emitted;
    if (!this.#isCareful) {
      settle(this.#group);
      return emitted;
    }
    const flushed = await this.#flush();
    if (flushed.kind === 'delivered') {
      settle(this.#group);
      await this.#commit(flushed.state);
    }
    return flushed;
  }

  /** Flushes, and begins to commit; answers what was wrong with the flush. Then it is time to go back. */
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

  /** Resolves when nothing is on its way to the disk any more, and the emitter knows. */
  async committed(): Promise<void> {
    const isCommitted = await this.#parts.committer.settled();
    if (!this.#isCommitUntold || !isCommitted) return;
    this.#isCommitUntold = false;
    await this.#parts.destination.committed();
  }

  /** Forgets what was emitted since the last flush; from there it goes on carefully up to `until`. */
  goBack(until: CursorPoint): CursorPoint {
    this.isCarefulWithReplays ||= this.#group.hasReplayed;
    this.#carefulUntil = laterOf(this.#carefulUntil, until);
    this.#beginGroup(this.#group.begin);
    return this.#group.begin;
  }

  /** After being overtaken, with nothing left in the group. */
  catchUp(): void {
    this.#beginGroup(this.#group.end);
  }

  get #isCareful(): boolean {
    return this.isCarefulWithReplays || isBefore(this.#group.end, this.#carefulUntil);
  }

  /** Never while the commit of the flush before is still on its way. */
  async #flush(): Promise<FlushOutcome> {
    await this.committed();
    return await this.#parts.destination.flush(this.#parts.signals.flush);
  }

  async #commit(state: Json | undefined): Promise<void> {
    const group = this.#group;
    this.#beginGroup(group.end);
    if (group.isEmitted) {
      this.#isCommitUntold = true;
      this.#parts.onFlushed();
    }
    await this.#parts.committer.commit(group.settlement(state), this.#parts.signals.flush);
  }

  #beginGroup(point: CursorPoint): void {
    const { cursor, clock, groupLimits } = this.#parts;
    this.#group = new Group(laterOf(point, cursor.committed), clock, groupLimits);
  }
}

export interface ProgressParts {
  readonly destination: Required<Destination>;
  readonly cursor: QueueCursor;
  readonly committer: Committer;
  readonly groupLimits: GroupLimits | undefined;
  readonly clock: Clock;
  readonly signals: DeliverySignals;
  /** The destination has taken something, for good. */
  readonly onFlushed: () => void;
}

export interface DeliverySignals {
  /** Aborts at the deadline. */
  readonly emit: AbortSignal;
  /** Aborts a moment later: what was emitted is flushed and committed if at all possible. */
  readonly flush: AbortSignal;
}
