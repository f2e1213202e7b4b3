import type { LeftFile, LeftReason, OneShotReport } from '../../collector/one-shot-report.ts';
import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import { groupBy } from '../../runtime/group-by.ts';
import { count, printable } from '../output/text-table.ts';

export interface OneShotSummary {
  readonly text: string;
  /** False: something was not read or not written, so the run has failed. */
  readonly isComplete: boolean;
}

/** More files are only counted. */
const MAX_NAMED = 3;

/** The end of a run as the command sees it: a standalone knows more than a collector. */
export interface OneShotEnd extends OneShotReport {
  /** Records that emitters rejected in this run. */
  readonly rejectedRecords?: number;
}

/** Summarizes in one line what a run has read and what it has left. */
export function oneShotSummary(end: OneShotEnd): OneShotSummary {
  const { accepted, undeliveredRecords = 0 } = end;
  const left = leftParts(end);
  const read = `Read ${records(accepted.records)} (${formatByteSize(accepted.bytes)})`;
  const queued =
    undeliveredRecords > 0 ? `; the aggregator has not yet delivered ${records(undeliveredRecords)}` : '';
  const rest = left.length > 0 ? `; left: ${left.join('; ')}` : '';
  return { text: read + queued + rest, isComplete: left.length === 0 };
}

function leftParts({ left, lostBytes, rejectedRecords = 0 }: OneShotEnd): readonly string[] {
  const byReason = groupBy(left, ({ reason }) => reason);
  const files = [...byReason].map(([reason, those]) => filesText(reason, those));
  return [
    ...files,
    ...(lostBytes > 0 ? [`${formatByteSize(lostBytes)} that were gone before they could be read`] : []),
    ...(rejectedRecords > 0
      ? [`${records(rejectedRecords)} that an emitter rejected (mega-collector dead-letters list)`]
      : []),
  ];
}

function filesText(reason: LeftReason, files: readonly LeftFile[]): string {
  const named = files.slice(0, MAX_NAMED).map(({ path, refusal }) => nameText(path, refusal));
  const more = files.length > MAX_NAMED ? ', ...' : '';
  const bytes = files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  const size = bytes > 0 ? `, ${formatByteSize(bytes)}` : '';
  const noun = files.length === 1 ? 'a file' : `${count(files.length)} files`;
  return `${noun} ${REASONS[reason]}${size} (${named.join(', ')}${more})`;
}

function nameText(path: string, refusal: string | undefined): string {
  return refusal === undefined ? printable(path) : `${printable(path)}: ${printable(refusal)}`;
}

const REASONS: Readonly<Record<LeftReason, string>> = {
  unreadable: 'that cannot be read',
  unnameable: 'with a name that is not UTF-8',
  undecided: 'so short that it may become compressed data',
  refused: 'that the aggregator rejected',
  unread: 'not read to the end',
  incomplete: 'that is still being uploaded',
};

function records(amount: number): string {
  return `${count(amount)} record${amount === 1 ? '' : 's'}`;
}
