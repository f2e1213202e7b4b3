import type { Emitter, EmitterState, FlushOutcome } from '../../src/emitters/emitter.ts';
import { DELIVERED, type Outcome } from '../../src/emitters/outcome.ts';
import type { Batch } from '../../src/records/batch.ts';
import { forEachRecord } from '../../src/records/record-batch.ts';

/**
 * An emitter whose destination is memory, and whose mood a test decides. It keeps the contract: what is not delivered
 * leaves no trace, and what was emitted is held until `flush`.
 */
export class MemoryEmitter implements Emitter {
  /** At the destination, for good: the text of each record. */
  readonly delivered: string[] = [];
  /** The texts of every batch that `emit` received, in order, with any outcome. */
  readonly emits: string[][] = [];
  flushes = 0;
  commits = 0;
  reopened = 0;
  isStopped = false;
  /** Decides about a batch; the texts of its records are there to help. */
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
      if (texts.length === 0 || texts.length !== batch.recordCount) throw new Error('an impossible batch');
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

  /** Killed: what was not flushed is gone. */
  crash(): void {
    this.#held = [];
    this.#isBusy = false;
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isBusy) throw new Error('called before the call before had settled');
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
