import type { ChangedRecord } from '../../records/changed-records.ts';
import type { LogRecord } from '../../records/log-record.ts';
import { type RecordBatch, sliceRecords } from '../../records/record-batch.ts';

/** Collects consecutive records of a slice that a filter keeps, with their changes. */
export class KeptRun {
  readonly #slice: RecordBatch;
  /** The run is `[#from, #to)` of the slice; its bytes begin at `#fromOffset`. */
  #from = 0;
  #to = 0;
  #fromOffset = 0;
  #toOffset = 0;
  #changes: RunChange[] = [];

  constructor(slice: RecordBatch) {
    this.#slice = slice;
  }

  keep(size: number): void {
    this.#to++;
    this.#toOffset += size;
  }

  /** Keeps `outputs` in place of the next record. Returns their number: a record has at most one part per byte. */
  change(record: LogRecord, outputs: readonly LogRecord[], size: number): number {
    const parts = outputs.slice(0, size);
    this.#changes.push({ index: this.#to - this.#from, record, outputs: parts });
    this.keep(size);
    return parts.length;
  }

  /** The next record is dropped. Only after `take`. */
  skip(size: number): void {
    this.#to++;
    this.#toOffset += size;
    this.#begin();
  }

  /** Ends the run, and returns it; undefined if it has no record. */
  take(): RecordBatch | undefined {
    const isEmpty = this.#from === this.#to;
    const run = isEmpty ? undefined : sliceRecords(this.#slice, this.#from, this.#to, this.#fromOffset);
    const changes = this.#changes;
    this.#begin();
    return run === undefined || changes.length === 0 ? run : withChanges(run, changes);
  }

  #begin(): void {
    this.#from = this.#to;
    this.#fromOffset = this.#toOffset;
    this.#changes = [];
  }
}

interface RunChange {
  /** In the run. */
  readonly index: number;
  readonly record: LogRecord;
  readonly outputs: readonly LogRecord[];
}

function withChanges(run: RecordBatch, changes: readonly RunChange[]): RecordBatch {
  const changed: ChangedRecord[] = [];
  const sizes: number[] = [];
  const sources: number[] = [];
  let next = 0;
  for (let index = 0; index < run.sizes.length; index++) {
    const size = run.sizes[index] ?? 0;
    const change = changes[next];
    if (change?.index !== index) {
      sizes.push(size);
      sources.push(index);
      continue;
    }
    next++;
    const { record, outputs } = change;
    outputs.forEach((output, part) => {
      const isLast = part === outputs.length - 1;
      changed.push({
        index: sizes.length,
        record: inPlace(output, record, part),
        hasOwnBody: outputs.length > 1 || output.body !== record.body,
      });
      sizes.push(isLast ? size - part : 1);
      sources.push(index);
    });
  }
  return { ...run, changed, sizes: Uint32Array.from(sizes), ...columnsAt(run, sources) };
}

/** A filter changes the content of a record, not its identity. */
function inPlace(
  output: LogRecord,
  { stream, position, observedTimeUnixNano }: LogRecord,
  part: number,
): LogRecord {
  return { ...output, stream, position: position + part, observedTimeUnixNano };
}

/** The columns of a run with these records of it. A mark stays with the last part of its record. */
function columnsAt(
  { marks, peers, recordPeers }: RecordBatch,
  sources: readonly number[],
): Partial<RecordBatch> {
  return {
    marks: marks.map(({ index, mark }) => ({ index: sources.lastIndexOf(index), mark })),
    ...(peers !== undefined &&
      recordPeers !== undefined && {
        peers,
        recordPeers: Uint32Array.from(sources, (index) => recordPeers[index] ?? 0),
      }),
  };
}
