import { escapeControls } from '../runtime/escape-controls.ts';

export interface Column {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly right?: true;
}

/** Rows of text under titles, in columns of equal width; every line ends with a newline. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const titles = columns.map(({ title }) => title);
  const all = titles.every((title) => title === '') ? rows : [titles, ...rows];
  const widths = columns.map((_, index) => Math.max(0, ...all.map((row) => (row[index] ?? '').length)));
  return all
    .map((row) => {
      const cells = columns.map(({ right }, index) => {
        const cell = row[index] ?? '';
        return right ? cell.padStart(widths[index] ?? 0) : cell.padEnd(widths[index] ?? 0);
      });
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** What a peer or a file may put into a field, safe for a terminal: no control characters, no marks of direction. */
export function printable(text: string): string {
  return escapeControls(text).replaceAll('\t', '\\x09');
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}
