import type { FlushOutcome } from '../../emitters/emitter.ts';
import type { Rejected, Retry } from '../../emitters/outcome.ts';
import type { Batch } from '../../records/batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { CursorPoint, DeadLetters, Json, QueueCursor } from '../../storage/queue-contract.ts';
import { Pause } from '../pause.ts';
import type { Batcher } from './batcher.ts';
import type { Committer } from './committer.ts';
import { isBefore, laterOf } from './cursor-order.ts';
import type { DeliveryEvents } from './events.ts';
import { Group } from './group.ts';
import type { Destination } from './guarded-emitter.ts';
import type { Incidents } from './incidents.ts';
import { asDeadLetters, halve, type PlacedBatch, type PlacedDeadLetter, setAside } from './placed-batch.ts';
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
 * Three points in the queue, never in another order: `cursor.committed` <= `group.begin` (what the emitter has flushed)
 * <= `group.point` (what it has been handed, and what has become of it).
 *
 * When something is wrong:
 *
 *     emit: retry              flush and commit the group, wait, emit the same batch again
 *     emit: rejected           set the named records aside, or halve the batch until records stand alone: dead letters
 *     emit: ..., undone   \    go back to `group.begin`, and go on carefully: a flush and a commit for every batch, until
 *     flush: not delivered /   the place of the trouble is behind
 *     16 records rejected alone, nothing delivered in between: it is the destination; take them back, and hold
 *     dead letters full: hold
 *
 * Holding is waiting and trying again, with a page. Whatever is in memory here can be made again from the queue, so
 * being killed at any moment costs at most a repetition of what was not committed.
 */
export class Delivery {
  readonly #deps: DeliveryDependencies;
  readonly #pause: Pause;
  /** What is in hand, the next one last: a batch to be tried again, or the pieces of a halved one. */
  #pieces: PlacedBatch[] = [];
  /** When the first record in hand was accepted; of those to be emitted again, too. */
  #inHandTimeUnixNano: bigint | undefined;
  #group: Group;
  /** Up to here every batch is flushed by itself. */
  #carefulUntil: CursorPoint;
  #isCarefulWithReplays = false;
  /** Records in a row that were rejected alone. */
  #rejectedAlone = 0;
  #isReopenWanted = false;
  #isCommitUntold = false;
  #isFinishing = false;
  #isDone = false;
  #isResting = false;

  constructor(deps: DeliveryDependencies) {
    this.#deps = deps;
    this.#pause = new Pause(deps.clock);
    this.#group = new Group(deps.cursor.committed, deps.clock);
    this.#carefulUntil = deps.cursor.committed;
  }

  /** Nothing is queued that could be emitted now. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** When the oldest record that the emitter has not flushed was accepted. */
  get oldestUndeliveredTimeUnixNano(): bigint | undefined {
    return (
      this.#group.oldestAcceptedTimeUnixNano ??
      this.#inHandTimeUnixNano ??
      this.#deps.batcher.oldestAcceptedTimeUnixNano
    );
  }

  /** Resolves after `finish`, when everything queued is delivered and committed, or it does not work. */
  async run(signals: DeliverySignals): Promise<void> {
    while (!this.#isDone && !signals.emit.aborted) await this.#step(signals);
    await this.#closeGroup(signals);
    await this.#committed();
  }

  /** Deliver what is queued, an open batch at once, and end; the first failure ends it too. */
  finish(): void {
    this.#isFinishing = true;
    this.#deps.batcher.hurry();
    this.#pause.end();
  }

  /** Let the emitter reopen its files before the next batch, which is tried at once. */
  reopen(): void {
    this.#isReopenWanted = true;
    this.#wake();
    this.#pause.end();
  }

  replayRequested(): void {
    this.#deps.replays.requested();
    this.#wake();
  }

  #wake(): void {
    this.#deps.batcher.interrupt();
  }

  async #step(signals: DeliverySignals): Promise<void> {
    const { cursor, replays } = this.#deps;
    if (this.#isReopenWanted) await this.#reopen(signals);
    if (isBefore(this.#group.begin, cursor.committed)) await this.#skipDropped(signals);
    if (replays.isListWanted && this.#pieces.length === 0) await this.#listReplays(signals);

    const placed = this.#pieces.pop() ?? (await this.#poll(signals));
    if (placed !== undefined) await this.#deliver(placed, signals);
    const isReplayDue = replays.msUntilDue <= 0 && this.#pieces.length === 0 && !this.#isFinishing;
    const replay = isReplayDue ? await replays.next() : undefined;
    if (replay !== undefined) await this.#redeliver(replay, signals);

    if (placed === undefined && replay === undefined) await this.#rest(signals);
    // Records under suspicion wait for the end of their batch: until then they can be taken back.
    else if (this.#group.isDue && !(this.#group.hasSuspects && this.#pieces.length > 0))
      await this.#settle(signals);
  }

  async #poll(signals: DeliverySignals): Promise<PlacedBatch | undefined> {
    this.#isResting = false;
    try {
      return await this.#deps.batcher.poll();
    } catch (error) {
      await this.#queueUnreadable(error, signals);
      return undefined;
    }
  }

  /** Nothing more to emit: what has been emitted is flushed and committed before anything is waited for. */
  async #rest(signals: DeliverySignals): Promise<void> {
    if (!(await this.#settle(signals))) return;
    await this.#committed();
    if (this.#isFinishing) {
      this.#isDone = true;
      return;
    }
    this.#inHandTimeUnixNano = undefined;
    this.#isResting = true;
    try {
      await this.#deps.batcher.wait(this.#deps.replays.msUntilDue);
    } catch (error) {
      await this.#queueUnreadable(error, signals);
    }
  }

  async #deliver(placed: PlacedBatch, signals: DeliverySignals): Promise<void> {
    this.#inHandTimeUnixNano = placed.acceptedTimeUnixNano;
    const outcome = await this.#emit(placed.batch, signals, (group) => group.delivered(placed));
    switch (outcome.kind) {
      case 'delivered':
        this.#rejectedAlone = 0;
        return;
      case 'retry':
        return await this.#retry(placed, outcome, signals);
      case 'rejected':
        return await this.#reject(placed, outcome, signals);
    }
  }

  async #emit(batch: Batch, signals: DeliverySignals, settle: (group: Group) => void): Promise<FlushOutcome> {
    const { destination } = this.#deps;
    const emitted = await destination.emit(batch, signals.emit);
    if (emitted.kind !== 'delivered') return emitted;
    if (!this.#isCareful) {
      settle(this.#group);
      return emitted;
    }
    const flushed = await this.#flush(signals);
    if (flushed.kind === 'delivered') {
      settle(this.#group);
      await this.#commit(flushed.state, signals);
    }
    return flushed;
  }

  get #isCareful(): boolean {
    return this.#isCarefulWithReplays || isBefore(this.#group.point, this.#carefulUntil);
  }

  async #retry(placed: PlacedBatch, outcome: Retry, signals: DeliverySignals): Promise<void> {
    if (outcome.undone && this.#group.isEmitted) {
      this.#goBack(placed.end, outcome.reason);
    } else {
      this.#pieces.push(placed);
      // The wait may be long; what was delivered before is made to last first.
      await this.#closeGroup(signals);
    }
    await this.#failed(outcome, placed);
  }

  async #reject(placed: PlacedBatch, outcome: Rejected, signals: DeliverySignals): Promise<void> {
    const { reason } = outcome;
    if (outcome.undone && this.#group.isEmitted) return this.#goBack(placed.end, reason);
    const named = namedRecords(outcome, placed.batch.recordCount);
    if (named.length > 0) return await this.#setAside(placed, setAside(placed, named, reason), signals);
    if (placed.batch.recordCount > 1) {
      const [left, right] = halve(placed);
      this.#pieces.push(right, left);
      return;
    }
    this.#rejectedAlone++;
    if (this.#rejectedAlone >= ALL_REJECTED_ALONE)
      return await this.#suspectDestination(placed, reason, signals);
    const alone = asDeadLetters(placed, reason);
    if (this.#isTooMuch(alone)) return await this.#holdForRoom(placed, reason, signals);
    this.#group.suspected(placed, alone);
  }

  async #setAside(placed: PlacedBatch, rest: PlacedBatch, signals: DeliverySignals): Promise<void> {
    if (this.#isTooMuch(rest.settled)) {
      const reason = rest.settled.at(-1)?.letter.reason ?? '';
      return await this.#holdForRoom(placed, reason, signals);
    }
    if (rest.batch.recordCount > 0) this.#pieces.push(rest);
    else this.#group.passed(rest);
  }

  /** The first records tried alone were all rejected, so it is hardly the records. */
  async #suspectDestination(placed: PlacedBatch, reason: string, signals: DeliverySignals): Promise<void> {
    this.#pieces = [];
    this.#deps.batcher.seek(this.#group.withdrawSuspects());
    await this.#closeGroup(signals);
    const text = `${ALL_REJECTED_ALONE} records in a row were rejected alone, so it seems to be the destination: ${reason}`;
    await this.#failed({ reason: text, mustHold: true }, placed);
  }

  async #holdForRoom(placed: PlacedBatch, reason: string, signals: DeliverySignals): Promise<void> {
    this.#pieces.push(placed);
    await this.#closeGroup(signals);
    await this.#failed(
      { reason: `There is no room for further dead letters: ${reason}`, mustHold: true },
      placed,
    );
  }

  #isTooMuch(letters: readonly PlacedDeadLetter[]): boolean {
    const bytes = letters.reduce((sum, { letter }) => sum + letter.records.data.length, 0);
    return this.#deps.deadLetters.full(bytes + this.#group.deadLetterBytes);
  }

  /** Counts the failure, tells who must know, and waits; or gives up what is in hand, if that is how it is set. */
  async #failed(failure: Failure, placed?: PlacedBatch): Promise<void> {
    const { trouble, events, incidents } = this.#deps;
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
    const { afterRetries, trouble } = this.#deps;
    if (afterRetries === 'hold') return false;
    if (afterRetries === 'discard') {
      this.#group.discarded(placed, reason);
    } else {
      const letters = asDeadLetters(placed, reason);
      if (this.#isTooMuch(letters)) return false;
      this.#group.passed({ ...placed, settled: [...placed.settled, ...letters] });
    }
    this.#pieces.pop();
    trouble.over();
    return true;
  }

  /** What is on its way to a commit would be listed again, so that comes first. */
  async #listReplays(signals: DeliverySignals): Promise<void> {
    if (!(await this.#settle(signals))) return;
    await this.#committed();
    this.#deps.replays.list();
    this.#isCarefulWithReplays &&= !this.#deps.replays.isEmpty;
  }

  /** A dead letter never stands in the way of what is queued: it waits its own time, and is not counted as a failure. */
  async #redeliver(replay: Replay, signals: DeliverySignals): Promise<void> {
    const { replays, events, trouble } = this.#deps;
    const outcome = await this.#emit(replay.batch, signals, (group) => group.replayed(replay));
    this.#isCarefulWithReplays &&= !replays.isEmpty;
    if (outcome.kind === 'delivered') return replays.delivered();
    if (outcome.undone && this.#group.isEmitted) {
      this.#goBack(this.#group.point, outcome.reason);
      this.#isCarefulWithReplays = true;
      replays.requested();
    } else if (outcome.kind === 'rejected') {
      this.#group.rejectedAgain(replay, outcome.reason);
      events.rejectedAgain(replay.id, outcome.reason);
    } else {
      const delayMs = replays.postpone(replay, (failures) => trouble.delayMs(failures, outcome.afterMs));
      events.replayFailed(replay.id, outcome.reason, delayMs);
    }
  }

  /** Flushes and commits; false when that did not work, and it was waited for. */
  async #settle(signals: DeliverySignals): Promise<boolean> {
    const problem = await this.#closeGroup(signals);
    if (problem?.kind === 'retry') await this.#failed(problem);
    return problem === undefined;
  }

  /** Flushes and commits; when the flush does not work, everything is back at the last that did. */
  async #closeGroup(signals: DeliverySignals): Promise<Retry | Rejected | undefined> {
    const group = this.#group;
    if (group.isEmpty) return undefined;
    let state: Json | undefined;
    if (group.isEmitted) {
      const flushed = await this.#flush(signals);
      if (flushed.kind !== 'delivered') {
        this.#goBack(group.point, flushed.reason);
        return flushed;
      }
      state = flushed.state;
    }
    await this.#commit(state, signals);
    return undefined;
  }

  /** Never while the commit of the flush before is still on its way. */
  async #flush(signals: DeliverySignals): Promise<FlushOutcome> {
    await this.#committed();
    return await this.#deps.destination.flush(signals.flush);
  }

  /** Resolves when nothing is on its way to the disk any more, and the emitter knows. */
  async #committed(): Promise<void> {
    const isCommitted = await this.#deps.committer.settled();
    if (!this.#isCommitUntold || !isCommitted) return;
    this.#isCommitUntold = false;
    await this.#deps.destination.committed();
  }

  async #commit(state: Json | undefined, signals: DeliverySignals): Promise<void> {
    const { trouble, events, committer } = this.#deps;
    const group = this.#group;
    this.#beginGroup(group.point);
    if (group.isEmitted) {
      const past = trouble.over();
      if (past !== undefined) events.recovered(past);
    }
    this.#isCommitUntold ||= group.isEmitted;
    await committer.commit(group.settlement(state), signals.flush);
  }

  #beginGroup(point: CursorPoint): void {
    const { cursor, clock } = this.#deps;
    this.#group = new Group(laterOf(point, cursor.committed), clock);
  }

  /** To what the emitter has flushed last; from there up to `until` every batch is flushed by itself. */
  #goBack(until: CursorPoint, reason: string): void {
    const { batcher, replays, events } = this.#deps;
    if (this.#group.hasReplayed) {
      this.#isCarefulWithReplays = true;
      replays.requested();
    }
    this.#inHandTimeUnixNano = this.#group.oldestAcceptedTimeUnixNano ?? this.#inHandTimeUnixNano;
    this.#carefulUntil = laterOf(this.#carefulUntil, until);
    this.#pieces = [];
    this.#beginGroup(this.#group.begin);
    batcher.seek(this.#group.begin);
    events.wentBack(reason);
  }

  /** The queue was full and this emitter furthest behind: what it had not delivered begins later now. */
  async #skipDropped(signals: DeliverySignals): Promise<void> {
    const { cursor, batcher, events } = this.#deps;
    events.overtaken();
    if (isBefore(this.#group.point, cursor.committed)) {
      this.#pieces = [];
      batcher.seek(cursor.committed);
    }
    if (await this.#settle(signals)) this.#beginGroup(this.#group.point);
  }

  async #queueUnreadable(error: unknown, signals: DeliverySignals): Promise<void> {
    this.#deps.events.queueUnreadable(error);
    await this.#closeGroup(signals);
    const reason = `The queue could not be read: ${error instanceof Error ? error.message : String(error)}`;
    await this.#failed({ reason, mustHold: true });
  }

  async #reopen(signals: DeliverySignals): Promise<void> {
    this.#isReopenWanted = false;
    if (await this.#settle(signals)) await this.#deps.destination.reopen();
  }
}

/** So many rejected alone, with nothing delivered in between, speak against the destination. */
const ALL_REJECTED_ALONE = 16;

export interface DeliveryDependencies {
  readonly destination: Required<Destination>;
  readonly cursor: QueueCursor;
  readonly deadLetters: DeadLetters;
  readonly batcher: Batcher;
  readonly committer: Committer;
  readonly replays: Replays;
  readonly trouble: Trouble;
  readonly incidents: Incidents;
  readonly events: DeliveryEvents;
  readonly clock: Clock;
  readonly afterRetries: 'hold' | 'dead-letter' | 'discard';
}

export interface DeliverySignals {
  /** Aborts at the deadline. */
  readonly emit: AbortSignal;
  /** Aborts a moment later: what was emitted is flushed and committed if at all possible. */
  readonly flush: AbortSignal;
}

/** The indexes that an emitter named, as far as they make sense: ascending, none twice, all within the batch. */
function namedRecords({ records = [] }: Rejected, recordCount: number): number[] {
  const sensible = records.filter((index) => Number.isInteger(index) && index >= 0 && index < recordCount);
  return [...new Set(sensible)].sort((a, b) => a - b);
}
