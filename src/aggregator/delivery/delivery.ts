import type { Rejected, Retry } from '../../emitters/outcome.ts';
import { InterruptibleWait } from '../../runtime/async/interruptible-wait.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { DeadLetters, QueueCursor } from '../../storage/queue/queue-contract.ts';
import type { Batcher } from './batcher.ts';
import { isBefore } from './cursor-order.ts';
import type { DeliveryEvents } from './events.ts';
import type { Failure, FailureStreak } from './failure-streak.ts';
import type { Incidents } from './incidents.ts';
import type { DeliverySignals, Progress } from './progress.ts';
import { asDeadLetters, halve, type QueuedBatch, type QueuedDeadLetter, setAside } from './queued-batch.ts';
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
 *     emit: rejected              dead-letter the named records, or halve the batch until single records remain
 *     emit: ..., rolledBack \       rewind to the last flush, then isolate: one flush and one commit for each
 *     flush: not delivered /      batch, until the failed position is passed
 *     16 single records rejected  the destination is the problem: withdraw their dead letters, and hold
 *     dead letters full           hold
 *
 * Holding means: notify, wait, and try again. All data in memory can be read again from the queue, so a kill
 * at any moment only repeats what was not committed.
 */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #progress: Progress;
  readonly #timer: InterruptibleWait;
  /** Batches to emit next, the next one last: a batch to retry, or the pieces of a halved one. */
  #pieces: QueuedBatch[] = [];
  /** When the first record in progress was accepted; includes records that will be emitted again. */
  #inHandTimeUnixNano: bigint | undefined;
  /** Consecutive records that were rejected in isolation. */
  #isolatedRejections = 0;
  #isReopenWanted = false;
  #isFinishing = false;
  #isDone = false;
  #isResting = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#progress = parts.progress;
    this.#timer = new InterruptibleWait(parts.clock);
  }

  /** True when the queue has nothing to emit at the moment. */
  get isResting(): boolean {
    return this.#isResting;
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
    while (!this.#isDone && !this.#parts.signals.emit.aborted) await this.#step();
    await this.#closeGroup();
    await this.#progress.committed();
  }

  /** Delivers all queued records, closes an open batch at once, and ends; the first failure ends it too. */
  finish(): void {
    this.#isFinishing = true;
    this.#parts.batcher.hurry();
    this.#timer.end();
  }

  /** Reopens the emitter's files before the next batch, which is tried at once. */
  reopen(): void {
    this.#isReopenWanted = true;
    this.tryAgain();
  }

  tryAgain(): void {
    this.#parts.batcher.interrupt();
    this.#timer.end();
  }

  replayRequested(): void {
    this.#parts.replays.requested();
    this.#parts.batcher.interrupt();
  }

  async #step(): Promise<void> {
    const { replays } = this.#parts;
    if (this.#isReopenWanted) await this.#reopen();
    if (this.#progress.isOvertaken) await this.#skipDropped();
    if (replays.isListWanted && this.#pieces.length === 0) await this.#listReplays();

    const queued = this.#pieces.pop() ?? (await this.#poll());
    if (queued !== undefined) await this.#deliver(queued);
    const isReplayDue = replays.msUntilDue <= 0 && this.#pieces.length === 0 && !this.#isFinishing;
    const replay = isReplayDue ? await replays.next() : undefined;
    if (replay !== undefined) await this.#redeliver(replay);

    if (queued === undefined && replay === undefined) return await this.#rest();
    const { group } = this.#progress;
    // Isolated rejections wait for the end of their batch: until then they can be withdrawn.
    if (group.isDue && !(group.hasIsolatedRejections && this.#pieces.length > 0)) await this.#settle();
  }

  async #poll(): Promise<QueuedBatch | undefined> {
    this.#isResting = false;
    try {
      return await this.#parts.batcher.poll();
    } catch (error) {
      await this.#queueUnreadable(error);
      return undefined;
    }
  }

  /** The queue is empty: emitted batches are flushed and committed before it waits for anything. */
  async #rest(): Promise<void> {
    if (!(await this.#settle())) return;
    await this.#progress.committed();
    if (this.#isFinishing) {
      this.#isDone = true;
      return;
    }
    this.#inHandTimeUnixNano = undefined;
    this.#isResting = true;
    try {
      await this.#parts.batcher.wait(this.#parts.replays.msUntilDue);
    } catch (error) {
      await this.#queueUnreadable(error);
    }
  }

  async #deliver(queued: QueuedBatch): Promise<void> {
    this.#inHandTimeUnixNano = queued.acceptedTimeUnixNano;
    const outcome = await this.#progress.emit(queued.batch, (group) => group.delivered(queued));
    switch (outcome.kind) {
      case 'delivered':
        this.#isolatedRejections = 0;
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
      this.#pieces.push(queued);
      // The wait may be long, so batches that were delivered before are committed first.
      await this.#closeGroup();
    }
    await this.#failed(outcome, queued);
  }

  async #reject(queued: QueuedBatch, outcome: Rejected): Promise<void> {
    const { reason } = outcome;
    if (outcome.rolledBack && this.#progress.group.isEmitted) return this.#rewind(queued, reason);
    const named = namedRecords(outcome, queued.batch.recordCount);
    if (named.length > 0) return await this.#setAside(queued, setAside(queued, named, reason), reason);
    if (queued.batch.recordCount > 1) {
      const [left, right] = halve(queued);
      this.#pieces.push(right, left);
      return;
    }
    this.#isolatedRejections++;
    if (this.#isolatedRejections >= MAX_ISOLATED_REJECTIONS)
      return await this.#holdForDestination(queued, reason);
    const alone = asDeadLetters(queued, reason);
    if (this.#isTooMuch(alone)) return await this.#holdForRoom(queued, reason);
    this.#progress.group.rejectedInIsolation(queued, alone);
  }

  async #setAside(queued: QueuedBatch, rest: QueuedBatch, reason: string): Promise<void> {
    if (this.#isTooMuch(rest.deadLetters)) return await this.#holdForRoom(queued, reason);
    if (rest.batch.recordCount > 0) this.#pieces.push(rest);
    else this.#progress.group.passed(rest);
  }

  /** All of the first single records were rejected, so the destination is the likely cause. */
  async #holdForDestination(queued: QueuedBatch, reason: string): Promise<void> {
    this.#pieces = [];
    this.#parts.batcher.seek(this.#progress.group.withdrawIsolatedRejections());
    await this.#closeGroup();
    const text = `${MAX_ISOLATED_REJECTIONS} single records in a row were rejected, so the destination seems to be faulty: ${reason}`;
    await this.#failed({ reason: text, mustHold: true }, queued);
  }

  async #holdForRoom(queued: QueuedBatch, reason: string): Promise<void> {
    this.#pieces.push(queued);
    await this.#closeGroup();
    const text = `The dead letter store is full: ${reason}`;
    await this.#failed({ reason: text, mustHold: true }, queued);
  }

  #isTooMuch(letters: readonly QueuedDeadLetter[]): boolean {
    const bytes = letters.reduce((sum, { letter }) => sum + letter.records.data.length, 0);
    return this.#parts.deadLetters.full(bytes + this.#progress.group.deadLetterBytes);
  }

  /** Counts and reports the failure, and waits; or drops the current batch, if configured. */
  async #failed(failure: Failure, queued?: QueuedBatch): Promise<void> {
    const { streak, events, incidents } = this.#parts;
    const { report, delayMs } = streak.failed(failure);
    events.failed({ reason: report.reason, failures: report.failures, delayMs });
    if (report.isHolding) {
      incidents.failing(report, queued);
      const isInHand = queued !== undefined && this.#pieces.at(-1) === queued;
      if (isInHand && !failure.mustHold && this.#dropBatch(queued, failure.reason)) return;
      events.held(report.reason);
    }
    if (this.#isFinishing) {
      this.#isDone = true;
      return;
    }
    await this.#timer.wait(delayMs);
    // During shutdown one more attempt follows at once, unless the destination requested a delay.
    if (this.#isFinishing && failure.afterMs !== undefined) this.#isDone = true;
  }

  /** False when the batch must be held. */
  #dropBatch(queued: QueuedBatch, reason: string): boolean {
    const { afterRetries, streak } = this.#parts;
    const { group } = this.#progress;
    if (afterRetries === 'hold') return false;
    if (afterRetries === 'discard') {
      group.discarded(queued, reason);
    } else {
      const letters = asDeadLetters(queued, reason);
      if (this.#isTooMuch(letters)) return false;
      group.passed({ ...queued, deadLetters: [...queued.deadLetters, ...letters] });
    }
    this.#pieces.pop();
    streak.reset();
    return true;
  }

  /** A pending commit must finish first, or its replays would be listed again. */
  async #listReplays(): Promise<void> {
    if (!(await this.#settle())) return;
    await this.#progress.committed();
    this.#parts.replays.list();
    this.#progress.isolatesReplays &&= !this.#parts.replays.isEmpty;
  }

  /**
   * A dead letter never delays queued batches: it has its own retry time, and does not count as a failure.
   */
  async #redeliver(replay: Replay): Promise<void> {
    const { replays, events, streak } = this.#parts;
    const progress = this.#progress;
    const outcome = await progress.emit(replay.batch, (group) => group.replayed(replay));
    progress.isolatesReplays &&= !replays.isEmpty;
    if (outcome.kind === 'delivered') return replays.delivered();
    if (outcome.rolledBack && progress.group.isEmitted) {
      this.#rewind(progress.group, outcome.reason);
      progress.isolatesReplays = true;
      replays.requested();
    } else if (outcome.kind === 'rejected') {
      progress.group.rejectedAgain(replay, outcome.reason);
      events.rejectedAgain(replay.id, outcome.reason);
    } else {
      const delayMs = replays.postpone(replay, (failures) => streak.delayMs(failures, outcome.afterMs));
      events.replayFailed(replay.id, outcome.reason, delayMs);
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

  /** Rewinds to the last flush, and isolates batches until `failed.end` is passed. */
  #rewind(failed: { readonly end: QueuedBatch['end'] }, reason: string): void {
    const { batcher, replays, events } = this.#parts;
    const { group } = this.#progress;
    if (group.hasReplayed) replays.requested();
    this.#inHandTimeUnixNano = group.oldestAcceptedTimeUnixNano ?? this.#inHandTimeUnixNano;
    this.#pieces = [];
    batcher.seek(this.#progress.rewind(failed.end));
    events.rewound(reason);
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
    this.#parts.events.queueUnreadable(error);
    await this.#closeGroup();
    const reason = `Cannot read the queue: ${error instanceof Error ? error.message : String(error)}`;
    await this.#failed({ reason, mustHold: true });
  }

  async #reopen(): Promise<void> {
    this.#isReopenWanted = false;
    if (await this.#settle()) await this.#parts.reopen();
  }
}

/** This many isolated rejections without a delivery in between indicate a faulty destination. */
const MAX_ISOLATED_REJECTIONS = 16;

export interface DeliveryParts {
  readonly cursor: QueueCursor;
  readonly batcher: Batcher;
  readonly progress: Progress;
  readonly replays: Replays;
  readonly deadLetters: DeadLetters;
  readonly streak: FailureStreak;
  readonly incidents: Incidents;
  readonly events: DeliveryEvents;
  readonly clock: Clock;
  readonly signals: DeliverySignals;
  readonly afterRetries: 'hold' | 'dead-letter' | 'discard';
  /** Makes the emitter reopen its files. */
  readonly reopen: () => Promise<void>;
}

/** The valid ones among the indexes that an emitter named: ascending, unique, within the batch. */
function namedRecords({ records = [] }: Rejected, recordCount: number): number[] {
  const valid = records.filter((index) => Number.isInteger(index) && index >= 0 && index < recordCount);
  return [...new Set(valid)].sort((a, b) => a - b);
}
