import { expect, test } from 'vitest';
import { count, printable, textTable } from '../../src/bin/text-table.ts';

test('columns are as wide as their widest cell, numbers at the right', () => {
  const text = textTable(
    [{ title: 'emitter' }, { title: 'queued', right: true }],
    [
      ['a', '1,000'],
      ['archive-2', '2'],
    ],
  );
  expect(text).toBe('emitter    queued\na           1,000\narchive-2       2\n');
});

test('without titles there is no line for them', () => {
  expect(textTable([{ title: '' }, { title: '' }], [['a', 'b']])).toBe('a  b\n');
});

test('what a terminal would obey is made visible', () => {
  expect(printable('a\u001b[2J\u0007\n\u009bü')).toBe('a\\x1b[2J\\x07\\n\\x9bü');
});

test('thousands are separated', () => {
  expect(count(1_234_567)).toBe('1,234,567');
});
