import { escapeControls } from '../../runtime/logging/escape-controls.ts';
import { textWidth } from './text-width.ts';
import { wrapText } from './wrap-text.ts';

/**
 * Rows of text under titles, in columns of equal width; every line ends with a newline. `width`: the width of
 * the terminal, undefined elsewhere. If the table is wider, columns that permit it continue on further lines;
 * else each row is printed as a block, with the titles at the left. Nothing is left out.
 */
export function textTable(columns: readonly Column[], rows: readonly Row[], width?: number): string {
  const natural = naturalWidths(columns, rows);
  if (width === undefined || totalWidth(natural) <= width) return printed(columns, rows, natural);
  const widths = wrappedWidths(columns, natural, width);
  return widths === undefined ? rowByRow(columns, rows, width) : printed(columns, rows, widths);
}

export interface Column {
  readonly title: string;
  /** Aligned at the right, for numbers. */
  readonly right?: true;
  /** Continues on further lines if the terminal is too narrow. */
  readonly wraps?: true;
}

type Row = readonly string[];

const GAP = '  ';
/** Narrower columns are hard to read. */
const MIN_WRAPPED = 16;

function naturalWidths(columns: readonly Column[], rows: readonly Row[]): readonly number[] {
  const all = [columns.map(({ title }) => title), ...rows];
  return columns.map((_, index) => Math.max(0, ...all.map((row) => textWidth(row[index] ?? ''))));
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

/** Narrows the widest columns that wrap; undefined if that is not sufficient. */
function wrappedWidths(
  columns: readonly Column[],
  natural: readonly number[],
  available: number,
): readonly number[] | undefined {
  const widths = [...natural];
  for (let excess = totalWidth(widths) - available; excess > 0; excess--) {
    const widest = indexOfWidest(columns, widths);
    if (widest === undefined) return undefined;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function indexOfWidest(columns: readonly Column[], widths: readonly number[]): number | undefined {
  let widest: number | undefined;
  for (const [index, { wraps }] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (wraps && width > MIN_WRAPPED && width > (widths[widest ?? -1] ?? 0)) widest = index;
  }
  return widest;
}

function printed(columns: readonly Column[], rows: readonly Row[], widths: readonly number[]): string {
  const titles = columns.map(({ title }) => title);
  const all = titles.every((title) => title === '') ? rows : [titles, ...rows];
  return all.map((row) => printedRow(columns, row, widths)).join('');
}

function printedRow(columns: readonly Column[], row: Row, widths: readonly number[]): string {
  const cells = columns.map((_, index) => {
    const width = widths[index] ?? 0;
    return textWidth(row[index] ?? '') <= width ? [row[index] ?? ''] : wrapText(row[index] ?? '', width);
  });
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) => {
    const parts = columns.map(({ right }, index) => {
      const text = cells[index]?.[line] ?? '';
      const blanks = ' '.repeat(Math.max(0, (widths[index] ?? 0) - textWidth(text)));
      return right ? blanks + text : text + blanks;
    });
    return `${parts.join(GAP).trimEnd()}\n`;
  }).join('');
}

/** A block for each row, with a line for each column that has a value. */
function rowByRow(columns: readonly Column[], rows: readonly Row[], width: number): string {
  const fields: readonly Column[] = [{ title: '' }, { title: '', wraps: true }];
  const blocks = rows.map((row) => {
    const lines = columns.flatMap(({ title }, index) => (row[index] ? [[title, row[index]]] : []));
    const natural = naturalWidths(fields, lines);
    return printed(fields, lines, wrappedWidths(fields, natural, width) ?? natural);
  });
  return blocks.join('\n');
}

/** Makes text of a peer or a file safe for a terminal: without control characters and marks of direction. */
export function printable(text: string): string {
  return escapeControls(text).replaceAll('\t', '\\x09');
}

/** The same for an error or a help text, whose line ends are ours. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}
