import type { Amount } from '../../records/amount.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { FailureStreak } from './failure-streak.ts';
import type { QueuedBatch } from './queued-batch.ts';

/** Opens and resolves the incidents of one emitter's delivery. */
export class Incidents {
  readonly #notifier: Notifier;
  readonly #emitter: string;
  /** An incident of an earlier run may be open, so the first success always resolves it. */
  #mayBeFailing = true;
  #batchId: string | undefined;
  #failuresReported = 0;

  constructor(notifier: Notifier, emitter: string) {
    this.#notifier = notifier;
    this.#emitter = emitter;
  }

  /** Each failure of a batch adds one attempt, but its records are counted once. */
  failing({ reason, failures, sinceUnixNano }: FailureStreak, queued?: QueuedBatch): void {
    const batchId = queued && `${queued.begin.entry}/${queued.begin.record}`;
    const newBatch = queued !== undefined && batchId !== this.#batchId ? queued.batch : undefined;
    const attempts = failures > this.#failuresReported ? failures - this.#failuresReported : failures;
    this.#mayBeFailing = true;
    this.#failuresReported = failures;
    this.#batchId = batchId;
    this.#notifier.trigger(
      { emitter: this.#emitter, kind: 'delivery' },
      {
        reason,
        sinceUnixNano,
        attempts,
        records: newBatch?.recordCount ?? 0,
        bytes: newBatch?.byteCount ?? 0,
        ...(batchId !== undefined && { batchId }),
      },
    );
  }

  /** Reports a problem that does not belong to one batch. */
  blocked(reason: string): void {
    this.#mayBeFailing = true;
    this.#notifier.trigger(
      { emitter: this.#emitter, kind: 'delivery' },
      { reason, attempts: 1, records: 0, bytes: 0 },
    );
  }

  delivered(): void {
    if (!this.#mayBeFailing) return;
    this.#mayBeFailing = false;
    this.#batchId = undefined;
    this.#failuresReported = 0;
    this.#notifier.resolve({ emitter: this.#emitter, kind: 'delivery' });
  }

  deadLettered(amount: Amount, reason: string): void {
    this.#notifier.trigger(
      { emitter: this.#emitter, kind: 'dead-letters' },
      { ...amount, reason, attempts: 0 },
    );
  }

  noDeadLetters(): void {
    this.#notifier.resolve({ emitter: this.#emitter, kind: 'dead-letters' });
  }
}
