import type { Cut, CutOptions, Cutter } from './cutter.ts';
import { RecordColumns } from './record-columns.ts';
import { WideLines } from './wide-lines.ts';

/**
 * Cuts lines of UTF-16 or UTF-32, like `lineCutter` those of encodings with code units of one byte. A record that is too
 * long is cut between two characters.
 */
export function wideLineCutter(encoding: string): Cutter {
  const lines = new WideLines(encoding);
  return {
    cut(bytes: Buffer, { last, maxRecordBytes, maxRecords, position = 0 }: CutOptions): Cut {
      const records = new RecordColumns(maxRecords);
      const boundary = (end: number) => lines.boundary(bytes, { start: records.length, end, position });
      while (!records.full) {
        const end = lines.endAfter(bytes, records.length, position);
        const lineEnd = end === 0 ? bytes.length : end;
        while (lineEnd - records.length > maxRecordBytes && !records.full) {
          records.addMarked(boundary(records.length + maxRecordBytes), 'cut');
        }
        if (end === 0 || records.full) break;
        records.add(end);
      }
      const rest = bytes.length - records.length;
      if (rest > 0 && !records.full) {
        if (rest >= maxRecordBytes) records.addMarked(boundary(bytes.length), 'cut');
        else if (last) records.addMarked(boundary(bytes.length), 'unterminated');
      }
      return records.done();
    },
  };
}
