import type { FilterSource } from '../../emitters/filtering/filter-source.ts';
import { filterStage } from '../../emitters/filtering/filter-stage.ts';
import { loadFilter } from '../../emitters/filtering/load-filter.ts';
import { batchOf } from '../../records/batch.ts';
import type { RecordBatch } from '../../records/record-batch.ts';

type Stage = (batch: RecordBatch) => readonly RecordBatch[];

const KEEP: Stage = (batch) => [batch];

/**
 * Runs the filter of an emitter for a tap. The filter of an emitter may run in its thread; it has no state, so a second
 * one gives the same records. Errors of the second one are not counted.
 */
export class FilterAtTap {
  readonly #emitter: string;
  readonly #sourceOf: (emitter: string) => FilterSource | undefined;
  #source: FilterSource | undefined;
  #stage: Stage = KEEP;
  #isLoading = false;

  constructor(emitter: string, sourceOf: (emitter: string) => FilterSource | undefined) {
    this.#emitter = emitter;
    this.#sourceOf = sourceOf;
  }

  async load(): Promise<void> {
    this.#source = this.#sourceOf(this.#emitter);
    this.#stage = await stageOf(this.#source, this.#emitter);
  }

  /** The records that the filter keeps, as it changes them. Until a changed filter is loaded, none. */
  readonly stage: Stage = (batch) => {
    if (this.#sourceOf(this.#emitter) !== this.#source && !this.#isLoading) void this.#reload();
    return this.#isLoading ? [] : this.#stage(batch);
  };

  async #reload(): Promise<void> {
    this.#isLoading = true;
    try {
      await this.load();
    } catch {
      // The emitter could load it: it changed again in the meantime, and is loaded at the next batch.
      this.#source = undefined;
    } finally {
      this.#isLoading = false;
    }
  }
}

async function stageOf(source: FilterSource | undefined, emitter: string): Promise<Stage> {
  if (source === undefined) return KEEP;
  const filter = filterStage(await loadFilter(source, emitter));
  return (batch) => {
    const staged = filter(batchOf([batch]));
    return staged.batch.slices;
  };
}
