import { setImmediate as turn } from 'node:timers/promises';
import { BatchRows } from '../../logstore/batch-rows.ts';
import { StoredTimes } from '../../logstore/stored-times.ts';
import { NO_RANGES, outside } from '../../records/ranges.ts';
import { endOf, type RecordBatch } from '../../records/record-batch.ts';
import type { NotedRange } from './flush-notes.ts';
import { noteNames } from './note-names.ts';
import { RowEncoder } from './row-encoder.ts';
import type { StoredBefore } from './stored-before.ts';

/** Encodes the records that are not in the table. The names in `knownNames` are left out of the result. */
export async function encodePart(
  pieces: readonly RecordBatch[],
  { positions, noted }: StoredBefore,
  knownNames: ReadonlySet<string>,
): Promise<EncodedRecords> {
  const encoder = new RowEncoder();
  const minutes = new Set<number>();
  const names = new Set<string>();
  const ranges: NotedRange[] = [];
  let all = 0;
  let repeatedRows = 0;
  for (const piece of pieces) {
    const { stream, data } = piece;
    const stored = positions.get(stream);
    const times = new StoredTimes(minutes);
    const rows = new BatchRows(piece);
    noteNames({ resource: rows.origin.attributes }, names);
    while (!rows.isAtEnd) {
      encoder.add(rows, data, {
        records: STRETCH_RECORDS,
        onRow: (timeUnixMicro, position, row, record) => {
          times.note(timeUnixMicro);
          all++;
          if (row !== undefined && record !== undefined) noteNames({ row, record }, names);
          if (stored?.has(position) !== true) return true;
          repeatedRows++;
          return false;
        },
      });
      await turn();
    }
    const range = { start: piece.start, end: endOf(piece) };
    const { minUnixMicro, maxUnixMicro } = times;
    for (const part of outside(range, noted.get(stream) ?? NO_RANGES))
      ranges.push({ stream, ...part, minUnixMicro, maxUnixMicro });
  }
  for (const name of knownNames) names.delete(name);
  return { encoder, ranges, minutes, names, rows: all - repeatedRows, repeatedRows };
}

export interface EncodedRecords {
  readonly encoder: RowEncoder;
  readonly ranges: readonly NotedRange[];
  readonly minutes: ReadonlySet<number>;
  readonly names: ReadonlySet<string>;
  readonly rows: number;
  /** Records that were stored before. */
  readonly repeatedRows: number;
}

/** Records parsed and encoded at a time; in between, other work of the thread runs, such as searches. */
const STRETCH_RECORDS = 1024;
