import type { Emitter, EmitterState, FlushOutcome } from '../../src/emitters/emitter.ts';
import { DELIVERED, type Outcome } from '../../src/emitters/outcome.ts';
import type { Batch } from '../../src/records/batch.ts';
import { forEachRecord } from '../../src/records/record-batch.ts';

/**
 * An emitter with its destination in memory; the test decides the outcomes. It keeps the contract: records
 * that are not delivered leave no trace, and emitted records are buffered until `flush`.
 */
export class MemoryEmitter implements Emitter {
  /** The text of each record that is at the destination. */
  readonly delivered: string[] = [];
  /** The texts of each batch that `emit` received, in order, with any outcome. */
  readonly emits: string[][] = [];
  flushes = 0;
  commits = 0;
  reopened = 0;
  isStopped = false;
  /** Returns the outcome of a batch with these texts. */
  onEmit: (texts: readonly string[], signal: AbortSignal) => Outcome | Promise<Outcome> = () => DELIVERED;
  onFlush: (texts: readonly string[], signal: AbortSignal) => Outcome | Promise<Outcome> = () => DELIVERED;
  onStart: () => void = () => undefined;
  #held: string[] = [];
  #isBusy = false;

  get held(): readonly string[] {
    return this.#held;
  }

  async start(): Promise<void> {
    await Promise.resolve();
    this.onStart();
  }

  emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    return this.#alone(async () => {
      const texts = textsOf(batch);
      if (texts.length === 0 || texts.length !== batch.recordCount)
        throw new Error('Cannot emit an invalid batch: it is empty or its count is wrong.');
      this.emits.push(texts);
      const outcome = await this.onEmit(texts, signal);
      if (outcome.kind === 'delivered') this.#held.push(...texts);
      else if (outcome.rolledBack) this.#held = [];
      return outcome;
    });
  }

  flush(signal: AbortSignal): Promise<FlushOutcome> {
    return this.#alone(async () => {
      this.flushes++;
      const outcome = await this.onFlush(this.#held, signal);
      if (outcome.kind === 'delivered') this.delivered.push(...this.#held);
      this.#held = [];
      if (outcome.kind !== 'delivered') return outcome;
      const state: EmitterState = { count: this.delivered.length };
      return { ...outcome, state };
    });
  }

  async committed(): Promise<void> {
    await Promise.resolve();
    this.commits++;
  }

  async reopen(): Promise<void> {
    await Promise.resolve();
    this.reopened++;
  }

  async stop(): Promise<void> {
    await Promise.resolve();
    this.isStopped = true;
  }

  /** Simulates a kill: unflushed records are lost. */
  crash(): void {
    this.#held = [];
    this.#isBusy = false;
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) throw new Error('Cannot run two calls at a time: the previous call has not settled.');
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#isBusy = false;
    }
  }
}

function textsOf(batch: Batch): string[] {
  const texts: string[] = [];
  for (const slice of batch.slices) {
    forEachRecord(slice, (bytes) => texts.push(Buffer.from(bytes).toString()));
  }
  return texts;
}
