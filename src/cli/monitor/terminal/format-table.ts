import { cutToWidth, textWidth } from '../../output/text-width.ts';
import type { Style, Terminal } from './terminal.ts';

/**
 * Rows under titles, in columns of equal width. On a terminal, text that does not fit is cut; elsewhere it is
 * complete, because a program may read it. Every line ends with a newline.
 */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly Cell[])[],
  terminal: Terminal,
): string {
  const { paint } = terminal;
  const titles = columns.map(({ title }): Cell => ({ text: title, style: 'bold' }));
  const all = columns.every(({ title }) => title === '') ? rows : [titles, ...rows];
  const natural = columns.map((_, index) => Math.max(0, ...all.map((row) => textWidth(textOf(row[index])))));
  const widths = terminal.isTerminal ? fitted(columns, natural, terminal.columns) : natural;
  return all
    .map((row) => {
      const cells = columns.map(({ right }, index) => {
        const width = widths[index] ?? 0;
        const text = cutToWidth(textOf(row[index]), width);
        const blanks = ' '.repeat(width - textWidth(text));
        const shown = paint(text, ...stylesOf(row[index]));
        if (right) return blanks + shown;
        return index === columns.length - 1 ? shown : shown + blanks;
      });
      return `${cells.join(GAP).trimEnd()}\n`;
    })
    .join('');
}

export interface TableColumn {
  readonly title: string;
  /** Aligned at the right, for numbers. */
  readonly right?: true;
  /** Cut first if the terminal is too narrow. */
  readonly flexible?: true;
}

/** Text that is safe to print; a style applies to terminals only. */
export type Cell = string | { readonly text: string; readonly style: Style };

const GAP = '  ';
const MIN_FLEXIBLE = 8;

function textOf(cell: Cell | undefined): string {
  return typeof cell === 'object' ? cell.text : (cell ?? '');
}

function stylesOf(cell: Cell | undefined): readonly Style[] {
  return typeof cell === 'object' ? [cell.style] : [];
}

/** Narrows the widest flexible column, until all columns fit or none can be narrower. */
function fitted(
  columns: readonly TableColumn[],
  natural: readonly number[],
  available: number,
): readonly number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, GAP.length * (columns.length - 1)) - available;
  while (excess > 0) {
    let widest = -1;
    columns.forEach(({ flexible }, index) => {
      const width = widths[index] ?? 0;
      if (flexible && width > MIN_FLEXIBLE && width > (widths[widest] ?? 0)) widest = index;
    });
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  return widths;
}
