import type { Amount } from '../../storage/queue-contract.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { PlacedBatch } from './placed-batch.ts';
import type { TroubleReport } from './trouble.ts';

/** What one emitter's delivery tells people, and when it takes that back. */
export class Incidents {
  readonly #notifier: Notifier;
  readonly #emitter: string;
  /** An incident of an earlier run may be open, so the first success always resolves. */
  #mayBeFailing = true;
  #batchId: string | undefined;
  #failuresTold = 0;

  constructor(notifier: Notifier, emitter: string) {
    this.#notifier = notifier;
    this.#emitter = emitter;
  }

  /** Every further failure of a batch is one more attempt, but its records are counted once. */
  failing({ reason, failures, sinceUnixNano }: TroubleReport, placed?: PlacedBatch): void {
    const batchId = placed && `${placed.begin.entry}/${placed.begin.record}`;
    const newBatch = placed !== undefined && batchId !== this.#batchId ? placed.batch : undefined;
    const attempts = failures > this.#failuresTold ? failures - this.#failuresTold : failures;
    this.#mayBeFailing = true;
    this.#failuresTold = failures;
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

  /** Something other than a batch is in the way. */
  troubled(reason: string): void {
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
    this.#failuresTold = 0;
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
