import { describe, expect, test } from 'vitest';
import { table } from '../../../../src/cli/monitor/terminal/table.ts';

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
    expect(table(COLUMNS, ROWS, terminal(false))).toBe(
      'name            n  state\n日本            1  ok\na long name  1000  firing\n',
    );
  });

  test('is cut where it may be, to fit', () => {
    const plain = { ...terminal(true, 22), paint: (text: string) => text };
    expect(table(COLUMNS, ROWS, plain)).toBe(
      'name         n  state\n日本         1  ok\na long …  1000  firing\n',
    );
  });

  test('is not cut where nobody looks', () => {
    expect(table(COLUMNS, ROWS, terminal(false, 5))).toContain('a long name  1000  firing\n');
  });

  test('styles take no room', () => {
    expect(table(COLUMNS, ROWS.slice(0, 1), terminal(true))).toBe(
      '<bold:name>  <bold:n>  <bold:state>\n<:日本>  <:1>  <green:ok>\n',
    );
  });
});
