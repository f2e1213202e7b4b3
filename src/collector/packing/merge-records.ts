import { SYSLOG_SEVERITIES } from '../../formats/severity.ts';
import type { SeverityNumber } from '../../records/log-record.ts';

const LF = 0x0a;
const CR = 0x0d;
const LESS = 0x3c;
const GREATER = 0x3e;

/** The size of the merged record is at most the sum of the sizes of its parts, and one byte for each of them. */
export interface MergePart {
  readonly bytes: Uint8Array;
  readonly body: string;
  readonly severityNumber: SeverityNumber | undefined;
}

/**
 * One record of several: the bytes of the first, and the messages of the others, each after an LF. Its priority has the
 * facility of the first and the most severe severity of all.
 */
export function mergeRecords(parts: readonly MergePart[]): Uint8Array {
  const [first, ...others] = parts;
  if (first === undefined) return new Uint8Array(0);
  if (others.length === 0) return first.bytes;
  const severest = Math.max(...parts.map(({ severityNumber = 0 }) => severityNumber));
  const pieces = [withSeverity(withoutLineEnd(first.bytes), first.severityNumber, severest)];
  for (const { body } of others) pieces.push(Buffer.from(`\n${body}`));
  return Buffer.concat(pieces);
}

function withSeverity(
  bytes: Uint8Array,
  own: SeverityNumber | undefined,
  severest: SeverityNumber,
): Uint8Array {
  const priority = priorityOf(bytes);
  const code = SYSLOG_SEVERITIES.findIndex((number) => number <= severest);
  if (priority === undefined || code < 0 || severest <= (own ?? 0)) return bytes;
  const { value, length } = priority;
  return Buffer.concat([Buffer.from(`<${value - (value % 8) + code}>`), bytes.subarray(length)]);
}

/** The number in `<...>` at the beginning. */
function priorityOf(bytes: Uint8Array): { readonly value: number; readonly length: number } | undefined {
  if (bytes[0] !== LESS) return undefined;
  let value = 0;
  for (let at = 1; at <= 4; at++) {
    const byte = bytes[at];
    if (byte === GREATER && at > 1 && value <= 191) return { value, length: at + 1 };
    if (byte === undefined || byte < 0x30 || byte > 0x39) return undefined;
    value = value * 10 + byte - 0x30;
  }
  return undefined;
}

function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let { length } = bytes;
  if (bytes[length - 1] === LF) length--;
  if (bytes[length - 1] === CR) length--;
  return bytes.subarray(0, length);
}
