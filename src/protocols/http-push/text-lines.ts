import { PushFault } from './push-fault.ts';
import { PUSH_LIMITS, TOO_MANY_RECORDS } from './push-limits.ts';

const LF = 0x0a;
const CR = 0x0d;

/** The lines of a text, without LF and without a copy. Empty lines are skipped. Throws a PushFault. */
export function textLines(bytes: Buffer, maxLines: number = PUSH_LIMITS.requestRecords): readonly Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const lf = bytes.indexOf(LF, start);
    const end = lf < 0 ? bytes.length : lf;
    const isEmpty = end === start || (end === start + 1 && bytes[start] === CR);
    if (!isEmpty) lines.push(bytes.subarray(start, end));
    if (lines.length > maxLines) throw new PushFault(TOO_MANY_RECORDS);
    start = end + 1;
  }
  return lines;
}
