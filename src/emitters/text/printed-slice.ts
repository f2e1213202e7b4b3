import { inUtf8 } from '../../formats/encodings/batch-encoding.ts';
import { recordText, withoutLineEnding } from '../../formats/record-text.ts';
import { recordContexts } from '../../formats/record-view.ts';
import { formatNamed } from '../../formats/registry.ts';
import { changedInOrder } from '../../records/changed-records.ts';
import { forEachRecord, type RecordBatch } from '../../records/record-batch.ts';
import { escapeControls, escapeUnseen } from '../../runtime/logging/escape-controls.ts';
import { runsOfBytes, sliceBytes, type TextFormat } from '../slice-bytes.ts';

const CARRIAGE_RETURN = 0x0d;
const LINE_END = Uint8Array.of(0x0a);

/**
 * Converts a slice to its printed form. Bodies of text records are printed unparsed, unless the slice
 * contains a carriage return (a body ends before its CRLF) or the output is a terminal, which must not
 * interpret log lines.
 */
export function printedSlice(slice: RecordBatch, format: TextFormat, isTerminal: boolean): Uint8Array {
  if (format === 'json') {
    const lines = together(sliceBytes(slice, 'json'));
    return isTerminal ? Buffer.from(escapeUnseen(Buffer.from(lines).toString())) : lines;
  }
  const readable = inUtf8(slice);
  if (isTerminal) return escapedBodies(readable);
  if (formatNamed(slice.format).lines && readable.data.includes(CARRIAGE_RETURN)) return bareBodies(readable);
  return together(sliceBytes(readable, 'body'));
}

function together(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}

function bareBodies(slice: RecordBatch): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const run of runsOfBytes(slice)) {
    if (typeof run === 'string') parts.push(Buffer.from(run), LINE_END);
    else forEachRecord(run, (bytes) => parts.push(withoutLineEnding(bytes), LINE_END));
  }
  return Buffer.concat(parts);
}

function escapedBodies(slice: RecordBatch): Uint8Array {
  const format = formatNamed(slice.format);
  const lines: string[] = [];
  const contextOf = recordContexts(slice);
  const changedAt = changedInOrder(slice);
  forEachRecord(slice, (bytes, index) => {
    const changed = changedAt(index);
    const body = changed?.hasOwnBody
      ? changed.record.body
      : format.lines
        ? recordText(bytes).text
        : format.parse(bytes, contextOf(index)).body;
    lines.push(escapeControls(body), '\n');
  });
  return Buffer.from(lines.join(''));
}
