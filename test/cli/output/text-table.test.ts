import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Column, count, printable, textTable } from '../../../src/cli/output/text-table.ts';
import { textWidth } from '../../../src/cli/output/text-width.ts';

test('columns are as wide as their widest cell, and numbers are aligned at the right', () => {
  const text = textTable(
    [{ title: 'emitter' }, { title: 'queued', right: true }],
    [
      ['a', '1,000'],
      ['archive-2', '2'],
    ],
  );
  expect(text).toBe('emitter    queued\na           1,000\narchive-2       2\n');
});

test('prints no title line without titles', () => {
  expect(textTable([{ title: '' }, { title: '' }], [['a', 'b']])).toBe('a  b\n');
});

test('escapes control characters', () => {
  expect(printable('a\u001b[2J\u0007\n\u009bü')).toBe('a\\x1b[2J\\x07\\n\\x9bü');
});

test('thousands are separated', () => {
  expect(count(1_234_567)).toBe('1,234,567');
});

describe('on a terminal that is too narrow', () => {
  const COLUMNS: readonly Column[] = [
    { title: 'emitter' },
    { title: 'queued', right: true },
    { title: 'reason', wraps: true },
  ];
  const ROW = ['archive', '1,000', 'the server does not accept the record because of its size'];

  test('text continues on further lines of its column', () => {
    expect(textTable(COLUMNS, [ROW], 40)).toBe(
      [
        'emitter  queued  reason',
        'archive   1,000  the server does not',
        '                 accept the record',
        '                 because of its size',
        '',
      ].join('\n'),
    );
  });

  test('rows are printed one by one when their columns do not fit', () => {
    expect(textTable(COLUMNS, [ROW, ['b', '2', '']], 30)).toBe(
      [
        'emitter  archive',
        'queued   1,000',
        'reason   the server does not',
        '         accept the record',
        '         because of its size',
        '',
        'emitter  b',
        'queued   2',
        '',
      ].join('\n'),
    );
  });

  test('a long word is cut, and wide characters take two columns', () => {
    const table = textTable(
      [{ title: '' }, { title: '', wraps: true }],
      [['file', `/${'日本'.repeat(20)}`]],
      40,
    );
    for (const line of table.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(40);
    expect(table.replaceAll(/\s/g, '')).toBe(`file/${'日本'.repeat(20)}`);
  });

  test('leaves out nothing, whatever the cells contain', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '/', 'é', '漢'), maxLength: 120 });
    const rows = fc.array(fc.tuple(cell, fc.nat().map(count), cell), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 40, max: 120 }), (cells, width) => {
        const columns: readonly Column[] = [
          { title: 'x', wraps: true },
          { title: 'y', right: true },
          { title: 'z', wraps: true },
        ];
        const table = textTable(columns, cells, width);
        for (const line of table.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(width);
        const characters = (text: string) =>
          text
            .replaceAll(/[\sxyz]/g, '')
            .split('')
            .sort()
            .join('');
        expect(characters(table)).toBe(characters(cells.flat().join('')));
      }),
    );
  });
});
