import { numberText } from './number-text.ts';
import { BLOCKS } from './sparkline.ts';

export interface ChartOptions {
  /** Oldest first; null: there is none. */
  readonly values: readonly (number | null)[];
  /** What stands below its ends. */
  readonly from: string;
  readonly to: string;
  readonly rows: number;
}

/**
 *     120 ┤      █▅
 *      60 ┤    ▂▆██ ▁
 *       0 ┼──────────
 *         10:00  10:09
 *
 * Values stand on 0, negative ones on the least of them.
 */
export function chart({ values, from, to, rows }: ChartOptions): string {
  const known = values.filter((value) => value !== null);
  const top = Math.max(0, ...known);
  const bottom = Math.min(0, ...known);
  const label = (row: number) => numberText(bottom + ((top - bottom) * row) / rows);
  const labels = Array.from({ length: rows + 1 }, (_, row) =>
    row % 2 === rows % 2 || row === 0 ? label(row) : '',
  );
  const width = Math.max(...labels.map(({ length }) => length));
  const heights = values.map((value) => {
    if (value === null || value === bottom) return 0;
    // What is there can be seen, however little.
    return Math.max(1, Math.round(((value - bottom) / (top - bottom)) * rows * BLOCKS.length));
  });
  const lines: string[] = [];
  for (let row = rows; row > 0; row--) {
    const bars = heights.map((height) => blockAt(height - (row - 1) * BLOCKS.length)).join('');
    lines.push(`${(labels[row] ?? '').padStart(width)} ┤${bars}`);
  }
  lines.push(`${(labels[0] ?? '').padStart(width)} ┼${'─'.repeat(values.length)}`);
  const between = Math.max(1, values.length - from.length - to.length);
  lines.push(`${' '.repeat(width + 2)}${from}${' '.repeat(between)}${to}`);
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function blockAt(eighths: number): string {
  if (eighths <= 0) return ' ';
  return BLOCKS[Math.min(eighths, BLOCKS.length) - 1] ?? ' ';
}
