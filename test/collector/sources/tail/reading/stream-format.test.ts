import { expect, test } from 'vitest';
import { StreamFormat } from '../../../../../src/collector/sources/tail/reading/stream-format.ts';
import type { Check } from '../../../../../src/records/check.ts';

const CHECK = '0000000000000000' as Check;
const FRESH = { start: 0, marks: [[0, CHECK]] } as const;

function batch(...lines: readonly string[]) {
  const parts = lines.map((line) => Buffer.from(line));
  return [Buffer.concat(parts), Uint32Array.from(parts, ({ length }) => length)] as const;
}

test.each([
  [['Nov 28 10:00:00 web1 sshd[1]: a\n', 'Nov 28 10:00:00 web1 kernel: [ 1.0] b\n'], 'syslog'],
  [['2024-11-28T10:00:00.123456+00:00 web1 sshd[1]: a\n', 'a line inside\n', '<13>su: x\n'], 'syslog'],
  [['a line\n', 'another\n', 'Nov 28 10:00:00 web1 sshd[1]: a\n'], 'plain'],
  [['{"msg":"a"}\n'], 'plain'],
  [['2024-11-28 10:00:00 main worker: a\n'], 'plain'],
  [['2024-11-28T10:00:00Z WARN worker: a\n'], 'plain'],
])('the first records %j decide for %s', (lines, expected) => {
  const format = new StreamFormat('auto', FRESH);
  expect(format.decided).toBeUndefined();
  expect(format.of(...batch(...lines))).toBe(expected);
  expect(format.decided).toBe(expected);
});

test('decides once', () => {
  const format = new StreamFormat('auto', FRESH);
  expect(format.of(...batch('a line\n'))).toBe('plain');
  expect(format.of(...batch('Nov 28 10:00:00 web1 sshd[1]: a\n'))).toBe('plain');
});

test('continues with the format of the state', () => {
  const format = new StreamFormat('auto', { ...FRESH, format: 'syslog', marks: [[100, CHECK]] });
  expect(format.of(...batch('a line\n'))).toBe('syslog');
});

test('a stream of which an earlier version has sent records stays plain', () => {
  const format = new StreamFormat('auto', { ...FRESH, marks: [[100, CHECK]] });
  expect(format.of(...batch('Nov 28 10:00:00 web1 sshd[1]: a\n'))).toBe('plain');
  const started = new StreamFormat('auto', { start: 100, marks: [[100, CHECK]] });
  expect(started.of(...batch('Nov 28 10:00:00 web1 sshd[1]: a\n'))).toBe('syslog');
});

test('the configured format needs no decision', () => {
  const format = new StreamFormat('json', { ...FRESH, format: 'syslog' });
  expect(format.of(...batch('a line\n'))).toBe('json');
  expect(format.decided).toBeUndefined();
});
