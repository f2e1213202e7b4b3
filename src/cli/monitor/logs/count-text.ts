import type { Histogram, ValueCounts } from '../../../logstore/logs/log-requests.ts';
import { segmentText } from '../segment-text.ts';
import { formatTable } from '../terminal/format-table.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { durationText, timeText } from '../terminal/time-text.ts';

const RIGHT = { right: true } as const;
const MOST_BAR_COLUMNS = 60;
const MIN_BAR_COLUMNS = 10;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** A line for each interval, oldest first; on a terminal with a bar. */
export function histogramText({ bars, total, intervalSeconds }: Histogram, terminal: Terminal): string {
  const rows = bars.map(({ time, count }) => ({ name: timeText(time, terminal), count }));
  const text = countTable(rows, 'time', terminal);
  if (!terminal.isTerminal) return text;
  return `${text}\n${total} records, ${durationText(intervalSeconds)} per line\n`;
}

/** The most frequent value first. */
export function valuesText({ values }: ValueCounts, property: string, terminal: Terminal): string {
  if (values.length === 0) return terminal.isTerminal ? 'No records match.\n' : '';
  const rows = values.map(({ value, count }) => ({ name: segmentText(value), count }));
  return countTable(rows, property, terminal);
}

interface Counted {
  readonly name: string;
  readonly count: number;
}

function countTable(rows: readonly Counted[], title: string, terminal: Terminal): string {
  const columns = [
    { title, flexible: true as const },
    { title: 'records', ...RIGHT },
    ...(terminal.isTerminal ? [{ title: '' }] : []),
  ];
  const most = rows.reduce((top, { count }) => Math.max(top, count), 0);
  const nameColumns = rows.reduce((top, { name }) => Math.max(top, name.length), title.length);
  const room = terminal.columns - nameColumns - String(most).length - 12;
  const width = Math.max(MIN_BAR_COLUMNS, Math.min(MOST_BAR_COLUMNS, room));
  const cells = rows.map(({ name, count }) => [
    name,
    String(count),
    ...(terminal.isTerminal ? [{ text: bar(count / Math.max(1, most), width), style: 'cyan' as const }] : []),
  ]);
  return formatTable(columns, cells, terminal);
}

function bar(part: number, columns: number): string {
  if (part === 0) return '';
  const eighths = Math.max(1, Math.round(part * columns * 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}
