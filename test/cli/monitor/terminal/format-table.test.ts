import { describe, expect, test } from 'vitest';
import { formatTable } from '../../../../src/cli/monitor/terminal/format-table.ts';

const terminal = (isTerminal: boolean, columns = 80) => ({
  isTerminal,
  columns,
  timeZone: 'utc' as const,
  rows: 24,
  paint: (text: string, ...styles: readonly string[]) => (isTerminal ? `<${styles.join()}:${text}>` : text),
});

const COLUMNS = [
  { title: 'name', flexible: true as const },
  { title: 'n', right: true as const },
  { title: 'state' },
];
const ROWS = [
  ['日本', '1', { text: 'ok', style: 'green' as const }],
  ['a long name', '1000', 'firing'],
];

describe('a table', () => {
  test('has columns as wide as their widest cell', () => {
    expect(formatTable(COLUMNS, ROWS, terminal(false))).toBe(
      'name            n  state\n日本            1  ok\na long name  1000  firing\n',
    );
  });

  test('cuts flexible columns to fit the terminal', () => {
    const plain = { ...terminal(true, 22), paint: (text: string) => text };
    expect(formatTable(COLUMNS, ROWS, plain)).toBe(
      'name         n  state\n日本         1  ok\na long …  1000  firing\n',
    );
  });

  test('cuts nothing when the output is not a terminal', () => {
    expect(formatTable(COLUMNS, ROWS, terminal(false, 5))).toContain('a long name  1000  firing\n');
  });

  test('styles do not change the width of a column', () => {
    expect(formatTable(COLUMNS, ROWS.slice(0, 1), terminal(true))).toBe(
      '<bold:name>  <bold:n>  <bold:state>\n<:日本>  <:1>  <green:ok>\n',
    );
  });
});
