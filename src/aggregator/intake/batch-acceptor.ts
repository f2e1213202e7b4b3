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
 *   accepted   all its bytes are in flushed ranges
 *   refused    it is never accepted as it is; other batches may be. `hasOtherBytes`: the ledger has other bytes at its
 *              positions, so the sender must compare its stream again
 *   failed     nothing of it was stored; the sender sends it again
 */
export type BatchOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly reason: string; readonly hasOtherBytes: boolean }
  | { readonly kind: 'failed'; readonly reason: string };

const ACCEPTED: BatchOutcome = { kind: 'accepted' };

/**
 * Passes the batches of all intakes to the queue, and bounds the bytes that wait for their commit. The caller checks
 * `hasRoom` before each batch, so the limit is exceeded by at most one batch.
 */
export class BatchAcceptor {
  readonly #queue: QueueWriter;
  readonly #events: IntakeEvents;
  readonly #budget: UnansweredBudget;
  readonly #onAccepted: (incoming: IncomingBatch) => void;
  readonly #underWay = new StreamsUnderWay();

  constructor(queue: QueueWriter, events: IntakeEvents, options: BatchAcceptorOptions = {}) {
    const { unansweredBytes = UNANSWERED_BYTES, onAccepted = () => {} } = options;
    this.#queue = queue;
    this.#events = events;
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

  /** Calls back when no batch of the stream waits for its outcome; at once if none does. */
  whenSettled(stream: StreamId, callback: () => void): void {
    this.#underWay.whenSettled(stream, callback);
  }

  /** Never rejects. The batch is verified, and its stream is open for its sender. */
  async accept(incoming: IncomingBatch): Promise<BatchOutcome> {
    const { stream, data, sizes } = incoming.batch;
    this.#events.batchReceived({ records: sizes.length, bytes: data.length });
    this.#budget.take(data.length);
    this.#underWay.begin(stream);
    try {
      await this.#queue.append(incoming);
      this.#onAccepted(incoming);
      return ACCEPTED;
    } catch (error) {
      return outcomeOf(error as Error);
    } finally {
      this.#underWay.end(stream);
      this.#budget.give(data.length);
    }
  }
}

export interface BatchAcceptorOptions {
  /** Of all batches that wait for their commit. */
  readonly unansweredBytes?: number;
  /** Must not throw. */
  readonly onAccepted?: (incoming: IncomingBatch) => void;
}

function outcomeOf(error: Error): BatchOutcome {
  if (!(error instanceof BatchRefusedError)) return { kind: 'failed', reason: error.message };
  return { kind: 'refused', reason: error.message, hasOtherBytes: error instanceof OtherBytesError };
}
