import type { StreamId } from '../../records/stream-id.ts';
import {
  BatchRefusedError,
  type IncomingBatch,
  OtherBytesError,
  type QueueWriter,
} from '../../storage/queue/queue-contract.ts';
import type { IntakeEvents } from './events.ts';
import { StreamsUnderWay } from './streams-under-way.ts';
import { UnansweredBudget } from './unanswered-budget.ts';

/** Of all intakes together. */
const UNANSWERED_BYTES = 16 * 1024 * 1024;

/**
 * The result of one batch.
 *
 *   accepted   all its bytes are in flushed ranges; with `whenDelivered`, the emitter has delivered them, too
 *   refused    it is never accepted as it is; other batches may be. `hasOtherBytes`: the ledger has other bytes at its
 *              positions, so the sender must compare its stream again
 *   failed     nothing of it was stored; the sender sends it again
 */
export type BatchOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly reason: string; readonly hasOtherBytes: boolean }
  | { readonly kind: 'failed'; readonly reason: string };

const ACCEPTED: BatchOutcome = { kind: 'accepted' };

export interface BatchAcceptorOptions {
  /** Bytes that may wait for their commit. */
  readonly unansweredBytes?: number;
  /**
   * Resolves when the emitter on which the answers depend has delivered everything that the queue has now. Absent: the
   * answers depend on the commit alone.
   */
  readonly whenDelivered?: (() => Promise<void>) | undefined;
  /** Must not throw. */
  readonly onAccepted?: (incoming: IncomingBatch) => void;
}

/**
 * Passes the batches of all intakes to the queue, and bounds the bytes that wait for their commit. The caller checks
 * `hasRoom` before each batch, so the limit is exceeded by at most one batch. Batches that wait for their delivery hold no
 * bytes in memory: the windows of their senders bound their number.
 */
export class BatchAcceptor {
  readonly #queue: QueueWriter;
  readonly #events: IntakeEvents;
  readonly #budget: UnansweredBudget;
  readonly #onAccepted: (incoming: IncomingBatch) => void;
  readonly #underWay = new StreamsUnderWay();
  readonly #whenDelivered: (() => Promise<void>) | undefined;

  constructor(queue: QueueWriter, events: IntakeEvents, options: BatchAcceptorOptions = {}) {
    const { unansweredBytes = UNANSWERED_BYTES, whenDelivered, onAccepted = () => {} } = options;
    this.#queue = queue;
    this.#events = events;
    this.#whenDelivered = whenDelivered;
    this.#onAccepted = onAccepted;
    this.#budget = new UnansweredBudget(unansweredBytes, (bytes) => events.unanswered({ bytes }));
  }

  get hasRoom(): boolean {
    return this.#budget.hasRoom;
  }

  /** Calls back once, when there is room again. */
  whenRoom(callback: () => void): void {
    this.#budget.whenRoom(callback);
  }

  /**
   * Calls back when no batch of the stream waits for its outcome, so that the ledger has no range that could still be
   * lost; at once if none does. Does not call back after the queue was closed.
   */
  whenSettled(stream: StreamId, callback: () => void): void {
    this.#underWay.whenSettled(stream, () => {
      if (this.#whenDelivered === undefined) callback();
      // Batches that were stored before this process began have no caller that waits.
      else this.#whenDelivered().then(callback, () => undefined);
    });
  }

  /** Never rejects. The batch is verified, and its stream is open for its sender. */
  async accept(incoming: IncomingBatch): Promise<BatchOutcome> {
    const { stream, data, sizes } = incoming.batch;
    this.#events.batchReceived({ records: sizes.length, bytes: data.length });
    this.#underWay.begin(stream);
    try {
      await this.#store(incoming);
      await this.#whenDelivered?.();
      this.#onAccepted(incoming);
      return ACCEPTED;
    } catch (error) {
      return outcomeOf(error as Error);
    } finally {
      this.#underWay.end(stream);
    }
  }

  async #store(incoming: IncomingBatch): Promise<void> {
    const { length } = incoming.batch.data;
    this.#budget.take(length);
    try {
      await this.#queue.append(incoming);
    } finally {
      this.#budget.give(length);
    }
  }
}

function outcomeOf(error: Error): BatchOutcome {
  if (!(error instanceof BatchRefusedError)) return { kind: 'failed', reason: error.message };
  return { kind: 'refused', reason: error.message, hasOtherBytes: error instanceof OtherBytesError };
}
