import type { Cut, CutOptions, Cutter } from './cutter.ts';
import { RecordColumns } from './record-columns.ts';

/**
 * Cuts PostgreSQL's csvlog. A record ends at the first line end outside quotes.
 *
 *     2026-11-20 08:52:21.581 UTC,"u","d",...,"a message
 *     of two lines, with a ""word"" in quotes",,,\n
 *
 * A missing quote (a server or a disk failed during a write) would exchange inside and outside for the rest of the
 * file. But soon a quote is at an invalid place: an opening quote is always after a comma, and a closing quote is
 * always before a comma or a line end. The cutter then ends the record before its first line that begins with a time,
 * as records do; if there is none, before the next such line. Bytes that do not begin with a time (the rest of a cut
 * record) end there too.
 */
export const csvlogCutter: Cutter = {
  cut(bytes: Buffer, { last, maxRecordBytes, maxRecords }: CutOptions): Cut {
    const records = new RecordColumns(maxRecords);
    while (!records.full && records.length < bytes.length) {
      const limit = records.length + maxRecordBytes;
      // Bytes after the limit are ignored, so that the cuts do not depend on whether these bytes have arrived.
      const end =
        limit < bytes.length
          ? endOfRecord(bytes.subarray(0, limit), records.length, false)
          : endOfRecord(bytes, records.length, last);
      if (end !== undefined) records.add(end);
      else if (limit <= bytes.length) records.addMarked(limit, 'cut');
      else {
        if (last) records.addMarked(bytes.length, 'unterminated');
        break;
      }
    }
    return records.done();
  },
};

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;

/** The end of the record that begins at `start`, after its line end; undefined while that has not arrived. */
function endOfRecord(bytes: Buffer, start: number, last: boolean): number | undefined {
  if (!beginsRecord(bytes, start)) return nextBeginning(bytes, start, last);
  let quoted = false;
  let beginning: number | undefined;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === LF) {
      if (!quoted) return at + 1;
      if (beginning === undefined && beginsRecord(bytes, at + 1)) beginning = at + 1;
    } else if (byte === QUOTE) {
      if (quoted && at + 1 === bytes.length) return undefined;
      if (quoted && bytes[at + 1] === QUOTE) at++;
      else if (quoted ? endsField(bytes[at + 1]) : bytes[at - 1] === COMMA) quoted = !quoted;
      else return beginning ?? nextBeginning(bytes, at, last);
    }
  }
  return undefined;
}

function endsField(byte: number | undefined): boolean {
  return byte === COMMA || byte === LF || byte === CR;
}

/** The position after the first line end before the beginning of a record, or at the end of all bytes. */
function nextBeginning(bytes: Buffer, from: number, last: boolean): number | undefined {
  let lineStart = bytes.indexOf(LF, from) + 1;
  while (lineStart > 0) {
    if (beginsRecord(bytes, lineStart) || (last && lineStart === bytes.length)) return lineStart;
    if (!last && bytes.length - lineStart < TIME.length) return undefined;
    lineStart = bytes.indexOf(LF, lineStart) + 1;
  }
  return undefined;
}

const TIME = '0000-00-00 00:00:00';
const DIGIT = 0x30;

/** Whether these bytes look like a time; false while there are too few. */
function beginsRecord(bytes: Buffer, start: number): boolean {
  for (let index = 0; index < TIME.length; index++) {
    const byte = bytes[start + index] ?? 0;
    const wanted = TIME.charCodeAt(index);
    if (wanted === DIGIT ? byte < DIGIT || byte > DIGIT + 9 : byte !== wanted) return false;
  }
  return true;
}
