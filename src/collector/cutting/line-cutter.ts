import type { Cut, CutOptions, Cutter } from './cutter.ts';
import { RecordColumns } from './record-columns.ts';

const LF = 0x0a;

/**
 * A record is a line with its ending. The CR of a CRLF stays in the bytes.
 *
 * `Buffer.indexOf` is the fastest way to find line ends in Node 20: 14 ns a line. A loop over the bytes or over words
 * of four bytes, or `indexOf` of a string, takes 27 to 250 ns for lines of 80 to 300 bytes.
 */
export const lineCutter: Cutter = {
  cut(bytes: Buffer, { last, maxRecordBytes, maxRecords }: CutOptions): Cut {
    const records = new RecordColumns(maxRecords);
    while (!records.full) {
      const end = bytes.indexOf(LF, records.length) + 1;
      const lineEnd = end === 0 ? bytes.length : end;
      while (lineEnd - records.length > maxRecordBytes && !records.full) {
        records.addMarked(records.length + maxRecordBytes, 'cut');
      }
      if (end === 0 || records.full) break;
      records.add(end);
    }
    const rest = bytes.length - records.length;
    if (rest > 0 && !records.full) {
      if (rest >= maxRecordBytes) records.addMarked(bytes.length, 'cut');
      else if (last) records.addMarked(bytes.length, 'unterminated');
    }
    return records.done();
  },
};
