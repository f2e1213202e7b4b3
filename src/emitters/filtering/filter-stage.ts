import type { FilterProgram, FilterResult } from '../../filters/filter-program.ts';
import { forEachLogRecord, recordView, shownResource } from '../../formats/record-view.ts';
import { type Batch, batchOf, type DroppedRange } from '../../records/batch.ts';
import type { LogRecord } from '../../records/log-record.ts';
import { forEachRecord, type RecordBatch } from '../../records/record-batch.ts';
import type { BatchStage, StagedBatch } from '../decorators/staged-emitter.ts';
import type { FilteredAmount } from '../outcome.ts';
import { KeptRun } from './kept-run.ts';

/**
 * Runs a filter over the batches of one emitter.
 *
 * - A program that reads only the resource decides about a whole slice. No record is parsed.
 * - A program that reads the resource first may decide about a slice by it. Then no record is parsed.
 * - A program that reads no content sees each record without it. Only records that it changes are parsed.
 * - Otherwise each record is parsed for the program. Runs of kept records stay slices of the received bytes.
 * - Dropped records are counted, and their bytes are reported as ranges.
 */
export function filterStage(program: FilterProgram): BatchStage {
  const staged = program.reads === 'resource' ? stagedByResource : stagedByRecord;
  return (batch) => staged(batch, program);
}

/** A dropped slice leaves no range: its stream is not at the destination at all. */
function stagedByResource(batch: Batch, program: FilterProgram): StagedBatch {
  const isKept = batch.slices.map(({ resource }) => program.decide(shownResource(resource)) !== 'drop');
  if (!isKept.includes(false)) return { batch };
  const filtered: FilteredAmount[] = [];
  const originalIndexes: number[] = [];
  let first = 0;
  batch.slices.forEach(({ sizes, data }, slice) => {
    const records = sizes.length;
    if (isKept[slice] === true) for (let i = 0; i < records; i++) originalIndexes.push(first + i);
    else filtered.push({ slice, records, bytes: data.length });
    first += records;
  });
  return { batch: batchOf(batch.slices.filter((_, slice) => isKept[slice])), filtered, originalIndexes };
}

function stagedByRecord(batch: Batch, program: FilterProgram): StagedBatch {
  const staging = new Staging();
  for (const slice of batch.slices) staging.add(slice, program);
  return staging.isUntouched ? { batch } : staging.result();
}

/** The least records of a slice for which it is worthwhile to decide by the resource. */
const DECIDED_RECORDS = 8;

class Staging {
  readonly #kept: RecordBatch[] = [];
  readonly #dropped: DroppedRange[] = [];
  readonly #filtered: FilteredAmount[] = [];
  readonly #originalIndexes: number[] = [];
  #slices = 0;
  #first = 0;
  #isUntouched = true;

  get isUntouched(): boolean {
    return this.#isUntouched;
  }

  add(slice: RecordBatch, program: FilterProgram): void {
    const isWorthwhile = slice.sizes.length >= DECIDED_RECORDS && slice.changed === undefined;
    const decision = isWorthwhile ? program.decide(shownResource(slice.resource)) : 'run';
    if (decision === 'run') this.#run(slice, program);
    else this.#decided(slice, decision);
    this.#slices++;
    this.#first += slice.sizes.length;
  }

  /** All records of the slice have the same result, and none is parsed. */
  #decided(slice: RecordBatch, decision: 'keep' | 'drop'): void {
    const records = slice.sizes.length;
    const bytes = slice.data.length;
    if (decision === 'keep') {
      this.#kept.push(slice);
      if (this.#isUntouched) return;
      for (let index = 0; index < records; index++) this.#originalIndexes.push(this.#first + index);
    } else {
      this.#touch(this.#first);
      this.#drop(slice, slice.start, bytes);
      this.#filtered.push({ slice: this.#slices, records, bytes });
    }
  }

  #run(slice: RecordBatch, program: FilterProgram): void {
    const run = new KeptRun(slice);
    let records = 0;
    let bytes = 0;
    forEachResult(slice, program, ({ record, result }, index) => {
      const size = slice.sizes[index] ?? 0;
      const outputs = result.kind === 'records' ? result.records : [];
      if (result.kind === 'unchanged') {
        run.keep(size);
        this.#keep(this.#first + index);
      } else if (result.kind === 'dropped' || outputs.length === 0) {
        this.#touch(this.#first + index);
        this.#end(run);
        run.skip(size);
        records++;
        bytes += size;
        this.#drop(slice, record.position, size);
      } else {
        this.#change(run, outputs, { record, size, original: this.#first + index });
      }
    });
    this.#end(run);
    if (records > 0) this.#filtered.push({ slice: this.#slices, records, bytes });
  }

  #keep(original: number): void {
    if (!this.#isUntouched) this.#originalIndexes.push(original);
  }

  /** Before the first change or drop, all records were kept, at their indexes. */
  #touch(original: number): void {
    if (this.#isUntouched) for (let index = 0; index < original; index++) this.#originalIndexes.push(index);
    this.#isUntouched = false;
  }

  result(): StagedBatch {
    const batch = batchOf(this.#kept);
    return {
      batch: this.#dropped.length === 0 ? batch : { ...batch, dropped: this.#dropped },
      originalIndexes: this.#originalIndexes,
      ...(this.#filtered.length > 0 && { filtered: this.#filtered }),
    };
  }

  #change(run: KeptRun, outputs: readonly LogRecord[], { record, size, original }: Changing): void {
    this.#touch(original);
    const parts = run.change(record, outputs, size);
    for (let part = 0; part < parts; part++) this.#originalIndexes.push(original);
  }

  #drop({ stream }: RecordBatch, start: number, size: number): void {
    const last = this.#dropped.at(-1);
    if (last?.stream === stream && last.end === start) this.#dropped.pop();
    const isGrowing = last?.stream === stream && last.end === start;
    this.#dropped.push({ stream, start: isGrowing ? last.start : start, end: start + size });
  }

  #end(run: KeptRun): void {
    const slice = run.take();
    if (slice !== undefined) this.#kept.push(slice);
  }
}

interface Changing {
  readonly record: LogRecord;
  readonly size: number;
  /** Its index in the batch. */
  readonly original: number;
}

interface Decided {
  readonly record: LogRecord;
  readonly result: FilterResult;
}

function forEachResult(
  slice: RecordBatch,
  program: FilterProgram,
  visit: (decided: Decided, index: number) => void,
): void {
  if (program.reads === 'fields') {
    forEachLogRecord(slice, (record, index) => visit({ record, result: program.run(record) }, index));
    return;
  }
  const { stream, format, observedTimeUnixNano } = slice;
  const place = { stream, format, observedTimeUnixNano, resource: shownResource(slice.resource) };
  const shared = { ...place, body: '', attributes: NO_ATTRIBUTES };
  forEachRecord(slice, (_bytes, index, position) => {
    const bare = { ...shared, position };
    const result = program.run(bare);
    if (result.kind !== 'records') {
      visit({ record: bare, result }, index);
      return;
    }
    const record = recordView(slice, index);
    visit({ record, result: program.run(record) }, index);
  });
}

const NO_ATTRIBUTES: LogRecord['attributes'] = new Map();
