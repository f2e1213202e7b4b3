import type { Rejected, Retry } from '../../emitters/outcome.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { DeadLetters, QueueCursor } from '../../storage/queue-contract.ts';
import { Pause } from '../pause.ts';
import type { Batcher } from './batcher.ts';
import { isBefore } from './cursor-order.ts';
import type { DeliveryEvents } from './events.ts';
import type { Incidents } from './incidents.ts';
import { asDeadLetters, halve, type PlacedBatch, type PlacedDeadLetter, setAside } from './placed-batch.ts';
import type { DeliverySignals, Progress } from './progress.ts';
import type { Replay, Replays } from './replays.ts';
import type { Failure, Trouble } from './trouble.ts';

/**
 * Hands batches to one emitter, in order, and moves its cursor.
 *
 * Most of the time:
 *
 *     emit emit emit emit ... flush | commit        at the latest every 8 MiB or 100 ms, and when nothing more is queued
 *                                    emit emit ...  the next group, while the commit is on its way to the disk
 *
 * When something is wrong:
 *
 *     emit: retry              flush and commit the group, wait, emit the same batch again
 *     emit: rejected           set the named records aside, or halve the batch until records stand alone: dead letters
 *     emit: ..., rolledBack \    go back to what was flushed, and go on carefully: a flush and a commit for every batch,
 *     flush: not delivered /   until the place of the trouble is behind
 *     16 records rejected alone, nothing delivered in between: it is the destination; take them back, and hold
 *     dead letters full: hold
 *
 * Holding is waiting and trying again, with a page. Whatever is in memory here can be made again from the queue, so
 * being killed at any moment costs at most a repetition of what was not committed.
 */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #progress: Progress;
  readonly #pause: Pause;
  /** What is in hand, the next one last: a batch to be tried again, or the pieces of a halved one. */
  #pieces: PlacedBatch[] = [];
  /** When the first record in hand was accepted; of those to be emitted again, too. */
  #inHandTimeUnixNano: bigint | undefined;
  /** Records in a row that were rejected alone. */
  #rejectedAlone = 0;
  #isReopenWanted = false;
  #isFinishing = false;
  #isDone = false;
  #isResting = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#progress = parts.progress;
    this.#pause = new Pause(parts.clock);
  }

  /** Nothing is queued that could be emitted now. */
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

  /** Resolves after `finish`, when everything queued is delivered and committed, or it does not work. */
  async run(): Promise<void> {
    while (!this.#isDone && !this.#parts.signals.emit.aborted) await this.#step();
    await this.#closeGroup();
    await this.#progress.committed();
  }

  /** Deliver what is queued, an open batch at once, and end; the first failure ends it too. */
  finish(): void {
    this.#isFinishing = true;
    this.#parts.batcher.hurry();
    this.#pause.end();
  }

  /** Let the emitter reopen its files before the next batch, which is tried at once. */
  reopen(): void {
    this.#isReopenWanted = true;
    this.tryAgain();
  }

  tryAgain(): void {
    this.#parts.batcher.interrupt();
    this.#pause.end();
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

    const placed = this.#pieces.pop() ?? (await this.#poll());
    if (placed !== undefined) await this.#deliver(placed);
    const isReplayDue = replays.msUntilDue <= 0 && this.#pieces.length === 0 && !this.#isFinishing;
    const replay = isReplayDue ? await replays.next() : undefined;
    if (replay !== undefined) await this.#redeliver(replay);

    if (placed === undefined && replay === undefined) return await this.#rest();
    const { group } = this.#progress;
    // Records under suspicion wait for the end of their batch: until then they can be taken back.
    if (group.isDue && !(group.hasSuspects && this.#pieces.length > 0)) await this.#settle();
  }

  async #poll(): Promise<PlacedBatch | undefined> {
    this.#isResting = false;
    try {
      return await this.#parts.batcher.poll();
    } catch (error) {
      await this.#queueUnreadable(error);
      return undefined;
    }
  }

  /** Nothing more to emit: what has been emitted is flushed and committed before anything is waited for. */
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

  async #deliver(placed: PlacedBatch): Promise<void> {
    this.#inHandTimeUnixNano = placed.acceptedTimeUnixNano;
    const outcome = await this.#progress.emit(placed.batch, (group) => group.delivered(placed));
    switch (outcome.kind) {
      case 'delivered':
        this.#rejectedAlone = 0;
        return;
      case 'retry':
        return await this.#retry(placed, outcome);
      case 'rejected':
        return await this.#reject(placed, outcome);
    }
  }

  async #retry(placed: PlacedBatch, outcome: Retry): Promise<void> {
    if (outcome.rolledBack && this.#progress.group.isEmitted) {
      this.#goBack(placed, outcome.reason);
    } else {
      this.#pieces.push(placed);
      // The wait may be long; what was delivered before is made to last first.
      await this.#closeGroup();
    }
    await this.#failed(outcome, placed);
  }

  async #reject(placed: PlacedBatch, outcome: Rejected): Promise<void> {
    const { reason } = outcome;
    if (outcome.rolledBack && this.#progress.group.isEmitted) return this.#goBack(placed, reason);
    const named = namedRecords(outcome, placed.batch.recordCount);
    if (named.length > 0) return await this.#setAside(placed, setAside(placed, named, reason), reason);
    if (placed.batch.recordCount > 1) {
      const [left, right] = halve(placed);
      this.#pieces.push(right, left);
      return;
    }
    this.#rejectedAlone++;
    if (this.#rejectedAlone >= ALL_REJECTED_ALONE) return await this.#suspectDestination(placed, reason);
    const alone = asDeadLetters(placed, reason);
    if (this.#isTooMuch(alone)) return await this.#holdForRoom(placed, reason);
    this.#progress.group.suspected(placed, alone);
  }

  async #setAside(placed: PlacedBatch, rest: PlacedBatch, reason: string): Promise<void> {
    if (this.#isTooMuch(rest.settled)) return await this.#holdForRoom(placed, reason);
    if (rest.batch.recordCount > 0) this.#pieces.push(rest);
    else this.#progress.group.passed(rest);
  }

  /** The first records tried alone were all rejected, so it is hardly the records. */
  async #suspectDestination(placed: PlacedBatch, reason: string): Promise<void> {
    this.#pieces = [];
    this.#parts.batcher.seek(this.#progress.group.withdrawSuspects());
    await this.#closeGroup();
    const text = `${ALL_REJECTED_ALONE} records in a row were rejected alone, so it seems to be the destination: ${reason}`;
    await this.#failed({ reason: text, mustHold: true }, placed);
  }

  async #holdForRoom(placed: PlacedBatch, reason: string): Promise<void> {
    this.#pieces.push(placed);
    await this.#closeGroup();
    const text = `There is no room for further dead letters: ${reason}`;
    await this.#failed({ reason: text, mustHold: true }, placed);
  }

  #isTooMuch(letters: readonly PlacedDeadLetter[]): boolean {
    const bytes = letters.reduce((sum, { letter }) => sum + letter.records.data.length, 0);
    return this.#parts.deadLetters.full(bytes + this.#progress.group.deadLetterBytes);
  }

  /** Counts the failure, tells who must know, and waits; or gives up what is in hand, if that is how it is set. */
  async #failed(failure: Failure, placed?: PlacedBatch): Promise<void> {
    const { trouble, events, incidents } = this.#parts;
    const { report, delayMs } = trouble.failed(failure);
    events.failed({ reason: report.reason, failures: report.failures, delayMs });
    if (report.isHolding) {
      incidents.failing(report, placed);
      const isInHand = placed !== undefined && this.#pieces.at(-1) === placed;
      if (isInHand && !failure.mustHold && this.#giveUp(placed, failure.reason)) return;
      events.held(report.reason);
    }
    if (this.#isFinishing) {
      this.#isDone = true;
      return;
    }
    await this.#pause.wait(delayMs);
    // At the end one more attempt is made at once, unless the destination has asked not to.
    if (this.#isFinishing && failure.afterMs !== undefined) this.#isDone = true;
  }

  /** False when it is to be held. */
  #giveUp(placed: PlacedBatch, reason: string): boolean {
    const { afterRetries, trouble } = this.#parts;
    const { group } = this.#progress;
    if (afterRetries === 'hold') return false;
    if (afterRetries === 'discard') {
      group.discarded(placed, reason);
    } else {
      const letters = asDeadLetters(placed, reason);
      if (this.#isTooMuch(letters)) return false;
      group.passed({ ...placed, settled: [...placed.settled, ...letters] });
    }
    this.#pieces.pop();
    trouble.over();
    return true;
  }

  /** What is on its way to a commit would be listed again, so that comes first. */
  async #listReplays(): Promise<void> {
    if (!(await this.#settle())) return;
    await this.#progress.committed();
    this.#parts.replays.list();
    this.#progress.isCarefulWithReplays &&= !this.#parts.replays.isEmpty;
  }

  /** A dead letter never stands in the way of what is queued: it waits its own time, and counts as no failure. */
  async #redeliver(replay: Replay): Promise<void> {
    const { replays, events, trouble } = this.#parts;
    const progress = this.#progress;
    const outcome = await progress.emit(replay.batch, (group) => group.replayed(replay));
    progress.isCarefulWithReplays &&= !replays.isEmpty;
    if (outcome.kind === 'delivered') return replays.delivered();
    if (outcome.rolledBack && progress.group.isEmitted) {
      this.#goBack(progress.group, outcome.reason);
      progress.isCarefulWithReplays = true;
      replays.requested();
    } else if (outcome.kind === 'rejected') {
      progress.group.rejectedAgain(replay, outcome.reason);
      events.rejectedAgain(replay.id, outcome.reason);
    } else {
      const delayMs = replays.postpone(replay, (failures) => trouble.delayMs(failures, outcome.afterMs));
      events.replayFailed(replay.id, outcome.reason, delayMs);
    }
  }

  /** Flushes and commits; false when that did not work, and it was waited for. */
  async #settle(): Promise<boolean> {
    const problem = await this.#closeGroup();
    if (problem?.kind === 'retry') await this.#failed(problem);
    return problem === undefined;
  }

  /** Flushes and commits; when the flush does not work, everything is back at the last that did. */
  async #closeGroup(): Promise<Retry | Rejected | undefined> {
    const problem = await this.#progress.close();
    if (problem !== undefined) this.#goBack(this.#progress.group, problem.reason);
    return problem;
  }

  /** To what was flushed last; it will be careful until it is past `trouble`. */
  #goBack(trouble: { readonly end: PlacedBatch['end'] }, reason: string): void {
    const { batcher, replays, events } = this.#parts;
    const { group } = this.#progress;
    if (group.hasReplayed) replays.requested();
    this.#inHandTimeUnixNano = group.oldestAcceptedTimeUnixNano ?? this.#inHandTimeUnixNano;
    this.#pieces = [];
    batcher.seek(this.#progress.goBack(trouble.end));
    events.wentBack(reason);
  }

  /** The queue was full and this emitter furthest behind: what it had not delivered begins later now. */
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
    const reason = `The queue could not be read: ${error instanceof Error ? error.message : String(error)}`;
    await this.#failed({ reason, mustHold: true });
  }

  async #reopen(): Promise<void> {
    this.#isReopenWanted = false;
    if (await this.#settle()) await this.#parts.reopen();
  }
}

/** So many rejected alone, with nothing delivered in between, speak against the destination. */
const ALL_REJECTED_ALONE = 16;

export interface DeliveryParts {
  readonly cursor: QueueCursor;
  readonly batcher: Batcher;
  readonly progress: Progress;
  readonly replays: Replays;
  readonly deadLetters: DeadLetters;
  readonly trouble: Trouble;
  readonly incidents: Incidents;
  readonly events: DeliveryEvents;
  readonly clock: Clock;
  readonly signals: DeliverySignals;
  readonly afterRetries: 'hold' | 'dead-letter' | 'discard';
  /** Lets the emitter reopen its files. */
  readonly reopen: () => Promise<void>;
}

/** The indexes that an emitter named, as far as they make sense: ascending, none twice, all within the batch. */
function namedRecords({ records = [] }: Rejected, recordCount: number): number[] {
  const sensible = records.filter((index) => Number.isInteger(index) && index >= 0 && index < recordCount);
  return [...new Set(sensible)].sort((a, b) => a - b);
}
