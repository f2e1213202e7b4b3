import type { Emitter } from '../../emitters/emitter.ts';
import type { FilterSource } from '../../emitters/filtering/filter-source.ts';
import type { Rejected, Retry } from '../../emitters/outcome.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { isBefore } from '../../storage/queue/cursor-order.ts';
import type { DeadLetters, QueueCursor } from '../../storage/queue/queue-contract.ts';
import type { Batcher } from './batcher.ts';
import type { DeliveryEvents } from './events.ts';
import type { Failure } from './failure-streak.ts';
import type { Failures } from './failures.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { DeliverySignals, Progress } from './progress.ts';
import { asDeadLetters, type QueuedBatch, type QueuedDeadLetter } from './queued-batch.ts';
import { Rejections } from './rejections.ts';
import type { Replay, Replays } from './replays.ts';

/**
 * Delivers batches to one emitter, in order, and moves its cursor.
 *
 * Normal operation:
 *
 *     emit emit emit emit ... flush | commit        after 8 MiB or 100 ms, or when the queue is empty
 *                                    emit emit ...  the next group, during the commit
 *
 * Failures:
 *
 *     emit: retry                 flush and commit the group, wait, emit the same batch again
 *     emit: rejected              see `rejections.ts`: dead letters, halves, or hold
 *     emit: ..., rolledBack \      rewind to the last flush, then isolate: one flush and one commit for each
 *     flush: not delivered  /     batch, until the failed position is passed
 *
 * Holding means: notify, wait, and try again. All data in memory can be read again from the queue, so a kill
 * at any moment only repeats what was not committed.
 *
 * The states and their transitions are in `delivery-state.ts`.
 */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #progress: Progress;
  readonly #rejections: Rejections;
  /** Batches to emit next, the next one last: a batch to retry, or the pieces of a halved one. */
  #pieces: QueuedBatch[] = [];
  /** When the first record in progress was accepted; includes records that will be emitted again. */
  #inHandTimeUnixNano: bigint | undefined;
  /** A request, not a state: it is fulfilled before the next batch. */
  #isReopenWanted = false;
  /** The filter to use, as soon as nothing that the current one has filtered is in progress. */
  #filterChange: FilterChange | undefined;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#progress = parts.progress;
    this.#rejections = new Rejections((letters) => this.#hasRoomFor(letters));
  }

  /** When the oldest record that the emitter has not flushed was accepted. */
  get oldestUndeliveredTimeUnixNano(): bigint | undefined {
    return (
      this.#progress.group.oldestAcceptedTimeUnixNano ??
      this.#inHandTimeUnixNano ??
      this.#parts.batcher.oldestAcceptedTimeUnixNano
    );
  }

  /** Resolves after `finish`, when all queued records are delivered and committed, or delivery fails. */
  async run(): Promise<void> {
    const { lifecycle, signals } = this.#parts;
    lifecycle.on({ kind: 'started' });
    while (lifecycle.activity.kind !== 'stopped' && !signals.emit.aborted) await this.#step();
    await this.#closeGroup();
    await this.#progress.committed();
  }

  /** Delivers all queued records, closes an open batch at once, and ends; the first failure ends it too. */
  finish(): void {
    this.#parts.lifecycle.on({ kind: 'finish' });
    this.#parts.batcher.hurry();
    this.#parts.failures.endDelay();
  }

  /** Reopens the emitter's files before the next batch, which is tried at once. */
  reopen(): void {
    this.#isReopenWanted = true;
    this.tryAgain();
  }

  /**
   * Uses another filter when everything that the current one has filtered is committed. A batch that is emitted
   * again keeps its filter: its records may be at the destination already. Resolves when the filter is in use, or
   * was replaced by a later call; rejects if the emitter cannot use it.
   */
  useFilter(filter: FilterSource | undefined): Promise<void> {
    this.#filterChange?.resolve();
    const changed = new Promise<void>((resolve, reject) => {
      this.#filterChange = { filter, resolve, reject };
    });
    this.#parts.batcher.interrupt();
    return changed;
  }

  tryAgain(): void {
    this.#parts.batcher.interrupt();
    this.#parts.failures.endDelay();
  }

  replayRequested(): void {
    this.#parts.replays.requested();
    this.#parts.batcher.interrupt();
  }

  async #step(): Promise<void> {
    const { replays, lifecycle } = this.#parts;
    if (this.#isReopenWanted) await this.#reopen();
    if (this.#filterChange !== undefined) await this.#changeFilter(this.#filterChange);
    if (this.#progress.isOvertaken) await this.#skipDropped();
    if (replays.isListWanted && this.#pieces.length === 0) await this.#listReplays();

    const queued = this.#pieces.pop() ?? (await this.#poll());
    if (queued !== undefined) await this.#deliver(queued);
    const isStopping = lifecycle.activity.kind === 'stopping' || lifecycle.activity.kind === 'stopped';
    const isReplayDue = replays.msUntilDue <= 0 && this.#pieces.length === 0 && !isStopping;
    const replay = isReplayDue ? await replays.next() : undefined;
    if (replay !== undefined) await this.#redeliver(replay);

    if (queued === undefined && replay === undefined) return await this.#rest();
    const { group } = this.#progress;
    // Isolated rejections wait for the end of their batch: until then they can be withdrawn.
    if (group.isDue && !(group.hasIsolatedRejections && this.#pieces.length > 0)) await this.#settle();
  }

  async #poll(): Promise<QueuedBatch | undefined> {
    this.#parts.lifecycle.on({ kind: 'polled' });
    try {
      return await this.#parts.batcher.poll();
    } catch (error) {
      await this.#queueUnreadable(error);
      return undefined;
    }
  }

  /** The queue is empty: emitted batches are flushed and committed before it waits for anything. */
  async #rest(): Promise<void> {
    const { lifecycle, batcher, replays } = this.#parts;
    if (!(await this.#settle())) return;
    await this.#progress.committed();
    if (lifecycle.on({ kind: 'emptied' }).activity.kind === 'stopped') return;
    this.#inHandTimeUnixNano = undefined;
    try {
      await batcher.wait(replays.msUntilDue);
    } catch (error) {
      await this.#queueUnreadable(error);
    }
  }

  async #deliver(queued: QueuedBatch): Promise<void> {
    this.#inHandTimeUnixNano = queued.acceptedTimeUnixNano;
    const outcome = await this.#progress.emit(queued.batch, (group, { isSkipped, filtered }) =>
      isSkipped ? group.skipped(queued, filtered) : group.delivered(queued, filtered),
    );
    switch (outcome.kind) {
      case 'delivered':
        if (!outcome.isSkipped) this.#rejections.delivered();
        return;
      case 'retry':
        return await this.#retry(queued, outcome);
      case 'rejected':
        return await this.#reject(queued, outcome);
    }
  }

  async #retry(queued: QueuedBatch, outcome: Retry): Promise<void> {
    if (outcome.rolledBack && this.#progress.group.isEmitted) {
      this.#rewind(queued, outcome.reason);
    } else {
      await this.#putBack(queued);
    }
    await this.#failed(outcome, queued);
  }

  async #reject(queued: QueuedBatch, outcome: Rejected): Promise<void> {
    const { group } = this.#progress;
    if (outcome.rolledBack && group.isEmitted) return this.#rewind(queued, outcome.reason);
    const decision = this.#rejections.decide(queued, outcome);
    switch (decision.kind) {
      case 'emit':
        this.#pieces.push(...decision.pieces.toReversed());
        return;
      case 'pass':
        return group.passed(decision.rest);
      case 'isolated':
        return group.rejectedInIsolation(queued, decision.letters);
      case 'blame-destination':
        this.#pieces = [];
        this.#parts.batcher.seek(group.withdrawIsolatedRejections());
        await this.#closeGroup();
        return await this.#failed({ reason: decision.reason, mustHold: true }, queued);
      case 'store-full':
        await this.#putBack(queued);
        return await this.#failed({ reason: decision.reason, mustHold: true }, queued);
    }
  }

  /** The wait may be long, so batches that were delivered before are committed first. */
  async #putBack(queued: QueuedBatch): Promise<void> {
    this.#pieces.push(queued);
    await this.#closeGroup();
  }

  #hasRoomFor(letters: readonly QueuedDeadLetter[]): boolean {
    const bytes = letters.reduce((sum, { letter }) => sum + letter.records.data.length, 0);
    return !this.#parts.deadLetters.full(bytes + this.#progress.group.deadLetterBytes);
  }

  /** Reports the failure, and waits; or drops the current batch, if configured. */
  async #failed(failure: Failure, queued?: QueuedBatch): Promise<void> {
    await this.#parts.failures.failed(failure, queued, () => this.#dropBatch(failure, queued));
  }

  /** False when no batch is dropped. */
  #dropBatch({ reason, mustHold, staged }: Failure, queued: QueuedBatch | undefined): boolean {
    const { afterRetries } = this.#parts;
    const { group } = this.#progress;
    const isInHand = queued !== undefined && this.#pieces.at(-1) === queued;
    if (!isInHand || mustHold || afterRetries === 'hold') return false;
    if (afterRetries === 'discard') {
      group.discarded(queued, reason, staged?.filtered);
    } else {
      const letters = asDeadLetters(queued, reason, staged?.kept);
      if (!this.#hasRoomFor(letters)) return false;
      group.passed({ ...queued, deadLetters: [...queued.deadLetters, ...letters] }, staged?.filtered);
    }
    this.#pieces.pop();
    return true;
  }

  /** A pending commit must finish first, or its replays would be listed again. */
  async #listReplays(): Promise<void> {
    if (!(await this.#settle())) return;
    await this.#progress.committed();
    this.#parts.replays.list();
    this.#noticeEmptyReplays();
  }

  #noticeEmptyReplays(): void {
    const { replays, lifecycle } = this.#parts;
    if (replays.isEmpty) lifecycle.on({ kind: 'replays-emptied' });
  }

  /**
   * A dead letter never delays queued batches: it has its own retry time, and does not count as a failure.
   */
  async #redeliver(replay: Replay): Promise<void> {
    const { replays, events, failures } = this.#parts;
    const progress = this.#progress;
    const outcome = await progress.emit(replay.batch, (group, { filtered }) =>
      group.replayed(replay, filtered),
    );
    this.#noticeEmptyReplays();
    if (outcome.kind === 'delivered') return replays.delivered();
    if (outcome.rolledBack && progress.group.isEmitted) {
      this.#rewind(progress.group, outcome.reason, true);
    } else if (outcome.kind === 'rejected') {
      progress.group.rejectedAgain(replay, outcome.reason);
      events.rejectedAgain({ id: replay.id, reason: outcome.reason });
    } else {
      const delayMs = replays.postpone(replay, (count) => failures.delayMs(count, outcome.afterMs));
      events.replayFailed({ id: replay.id, reason: outcome.reason, delayMs });
    }
  }

  /** Flushes and commits; false when that failed and the retry delay has passed. */
  async #settle(): Promise<boolean> {
    const problem = await this.#closeGroup();
    if (problem?.kind === 'retry') await this.#failed(problem);
    return problem === undefined;
  }

  /** Flushes and commits; a failed flush rewinds to the last successful one. */
  async #closeGroup(): Promise<Retry | Rejected | undefined> {
    const problem = await this.#progress.close();
    if (problem !== undefined) this.#rewind(this.#progress.group, problem.reason);
    return problem;
  }

  /** Rewinds to the last flush, and isolates batches until `failed.end` is passed, or also the replays. */
  #rewind(failed: { readonly end: QueuedBatch['end'] }, reason: string, isReplay = false): void {
    const { batcher, replays, events } = this.#parts;
    const { group } = this.#progress;
    const hasReplays = isReplay || group.hasReplayed;
    if (hasReplays) replays.requested();
    this.#inHandTimeUnixNano = group.oldestAcceptedTimeUnixNano ?? this.#inHandTimeUnixNano;
    this.#pieces = [];
    batcher.seek(this.#progress.rewind(failed.end, hasReplays));
    events.rewound({ reason });
  }

  /** The queue was full and this emitter had the most undelivered records: its oldest ones were dropped. */
  async #skipDropped(): Promise<void> {
    const { cursor, batcher, events } = this.#parts;
    events.overtaken();
    if (isBefore(this.#progress.group.end, cursor.committed)) {
      this.#pieces = [];
      batcher.seek(cursor.committed);
    }
    if (await this.#settle()) this.#progress.catchUp();
  }

  async #queueUnreadable(error: unknown): Promise<void> {
    this.#parts.events.queueUnreadable({ err: error });
    await this.#closeGroup();
    const reason = `Cannot read the queue: ${errorMessage(error)}`;
    await this.#failed({ reason, mustHold: true });
  }

  async #changeFilter(change: FilterChange): Promise<void> {
    const { lifecycle, emitter } = this.#parts;
    if (this.#pieces.length > 0 || lifecycle.grouping.kind !== 'grouped') return;
    if (!(await this.#settle())) return;
    await this.#progress.committed();
    if (lifecycle.commits.kind !== 'reported' || this.#filterChange !== change) return;
    this.#filterChange = undefined;
    await emitter.useFilter?.(change.filter).then(change.resolve, change.reject);
  }

  async #reopen(): Promise<void> {
    this.#isReopenWanted = false;
    if (await this.#settle()) await this.#parts.emitter.reopen?.();
  }
}

export interface DeliveryParts {
  readonly cursor: QueueCursor;
  readonly batcher: Batcher;
  readonly progress: Progress;
  readonly replays: Replays;
  readonly deadLetters: DeadLetters;
  readonly lifecycle: Lifecycle;
  readonly failures: Failures;
  readonly events: DeliveryEvents;
  readonly signals: DeliverySignals;
  readonly afterRetries: 'hold' | 'dead-letter' | 'discard';
  /** Delivery itself calls only these. */
  readonly emitter: Pick<Emitter, 'reopen' | 'useFilter'>;
}

interface FilterChange {
  readonly filter: FilterSource | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}
