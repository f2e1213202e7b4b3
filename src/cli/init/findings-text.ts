import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import { printable, textTable } from '../output/text-table.ts';
import { formatParagraph } from '../output/wrap-text.ts';
import type { Findings } from './findings.ts';

const RIGHT = { right: true } as const;
const MAX_ROWS = 100;

/** For people: what was found, what is left out, and why. */
export function findingsText(findings: Findings, width: number | undefined): string {
  const { files, leftOut, journal, containers, notes, olderFiles, endedEarly } = findings;
  const found = [
    ...files.map(({ path, format, bytes }) => [printable(path), format, formatByteSize(bytes)]),
    ...containers.map(({ paths, format }) => [paths, format, '']),
    ...(journal === undefined ? [] : [[journal.directory, 'journald', '']]),
  ];
  const columns = [
    { title: 'found', wraps: true as const },
    { title: 'format' },
    { title: 'size', ...RIGHT },
  ];
  const omitted = [
    { title: 'left out', wraps: true as const },
    { title: 'reason', wraps: true as const },
  ];
  const reasons = leftOut.map(({ path, reason }) => [printable(path), printable(reason)]);
  const lines = [
    ...(olderFiles === 0
      ? []
      : [`Older generations of files (rotated, compressed): ${olderFiles}, not read.`]),
    ...notes,
    ...(endedEarly === undefined ? [] : [`The look ended ${endedEarly}: more logs may exist.`]),
  ];
  return [
    ...(found.length === 0
      ? []
      : [limited(textTable(columns, found.slice(0, MAX_ROWS), width), found.length)]),
    ...(reasons.length === 0
      ? []
      : [limited(textTable(omitted, reasons.slice(0, MAX_ROWS), width), reasons.length)]),
    ...(lines.length === 0
      ? []
      : [lines.map((line) => formatParagraph(printable(line), width, 2)).join('\n')]),
  ].join('\n');
}

function limited(table: string, rows: number): string {
  return rows > MAX_ROWS ? `${table}and ${rows - MAX_ROWS} more; --json shows all\n` : table;
}
