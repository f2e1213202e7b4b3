import { setImmediate as turn } from 'node:timers/promises';
import { BatchRows } from '../../logstore/batch-rows.ts';
import { StoredTimes } from '../../logstore/stored-times.ts';
import { NO_RANGES, outside } from '../../records/ranges.ts';
import { endOf, type RecordBatch } from '../../records/record-batch.ts';
import type { DayBlock } from './day-block.ts';
import type { NotedRange } from './flush-notes.ts';
import { noteNames } from './note-names.ts';
import { RowEncoder } from './row-encoder.ts';
import type { SpareBlocks } from './spare-blocks.ts';
import type { StoredBefore } from './stored-before.ts';

/** Encodes the records of a part of a flush that are not in the table. */
export class PartEncoder {
  readonly minutes = new Set<number>();
  readonly names = new Set<string>();
  readonly ranges: NotedRange[] = [];
  repeatedRows = 0;
  /** Of all records, also of repeated ones. */
  bytes = 0;
  readonly #encoder: RowEncoder;
  #records = 0;

  constructor(spare: Pick<SpareBlocks, 'take'>) {
    this.#encoder = new RowEncoder(spare);
  }

  get rows(): number {
    return this.#records - this.repeatedRows;
  }

  /** The encoded rows by their day, which is counted from 1970. */
  get days(): ReadonlyMap<number, DayBlock> {
    return this.#encoder.days;
  }

  async add(piece: RecordBatch, { positions, noted }: StoredBefore): Promise<void> {
    const { stream, data } = piece;
    const stored = positions.get(stream);
    const times = new StoredTimes(this.minutes);
    const rows = new BatchRows(piece);
    noteNames({ resource: rows.origin.attributes }, this.names);
    while (!rows.isAtEnd) {
      this.#encoder.add(rows, data, {
        records: STRETCH_RECORDS,
        onRow: (timeUnixMicro, position, row, record) => {
          times.note(timeUnixMicro);
          if (row !== undefined && record !== undefined) noteNames({ row, record }, this.names);
          if (stored?.has(position) !== true) return true;
          this.repeatedRows++;
          return false;
        },
      });
      await turn();
    }
    this.bytes += data.length;
    this.#records += piece.sizes.length;
    const { minUnixMicro, maxUnixMicro } = times;
    for (const part of outside({ start: piece.start, end: endOf(piece) }, noted.get(stream) ?? NO_RANGES))
      this.ranges.push({ stream, ...part, minUnixMicro, maxUnixMicro });
  }
}

/** Records parsed and encoded at a time; in between, other work of the thread runs, such as searches. */
const STRETCH_RECORDS = 1024;
