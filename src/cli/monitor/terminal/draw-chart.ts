import { BLOCKS } from './draw-sparkline.ts';
import { numberText } from './number-text.ts';

/**
 *     120 ┤      █▅
 *      60 ┤    ▂▆██ ▁
 *       0 ┼──────────
 *         10:00  10:09
 *
 * Bars begin at 0, or at the lowest value if there are negative values.
 */
export function drawChart({ values, from, to, rows }: ChartOptions): string {
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
    // Every value is visible, however small.
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

export interface ChartOptions {
  /** Oldest first; null: no value. */
  readonly values: readonly (number | null)[];
  /** Labels below the ends of the chart. */
  readonly from: string;
  readonly to: string;
  readonly rows: number;
}

function blockAt(eighths: number): string {
  if (eighths <= 0) return ' ';
  return BLOCKS[Math.min(eighths, BLOCKS.length) - 1] ?? ' ';
}
