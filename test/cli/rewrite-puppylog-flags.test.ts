import { describe, expect, test } from 'vitest';
import { rewritePuppylogFlags } from '../../src/cli/rewrite-puppylog-flags.ts';

const rewritten = (line: string, environment = {}) =>
  rewritePuppylogFlags(line.split(' '), environment).join(' ');

describe('the collector', () => {
  test.each([
    ['collector -s a.log', 'collector --source a.log'],
    ['collector -s a.log -w -n -r', 'collector --source a.log --watch --now'],
    ['collector -wnr -s a.log', 'collector --watch --now --source a.log'],
    ['collector --source a.log --watch', 'collector --source a.log --watch'],
    ['collector --tail x', 'collector --tail x'],
  ])('reads %s', (line, expected) => {
    expect(rewritten(line)).toBe(expected);
  });

  test('reads access.log in the directory for temporary files when no source is named', () => {
    expect(rewritten('collector -w')).toBe('collector --watch --source /tmp/access.log');
    expect(rewritten('collector -n', { TMPDIR: '/scratch' })).toBe(
      'collector --now --source /scratch/access.log',
    );
  });

  test('adds no source if a flag or a variable names one', () => {
    expect(rewritten('collector --watch --source=a.log')).toBe('collector --watch --source=a.log');
    expect(rewritten('collector -w', { COLLECTOR_TAIL: 'x' })).toBe('collector --watch');
    expect(rewritten('collector -w', { COLLECTOR_TAIL_CONFIGURATION_FILE: 'x' })).toBe('collector --watch');
    expect(rewritten('collector')).toBe('collector');
  });
});

test.each([
  ['monitor metrics create -id a -pr 10 -rr 5 -seg x', '--identifier a --period 10 --refresh 5 --segment x'],
  [
    'monitor metrics create --identifier a --refresh_rate 5 --segment_expression x',
    '--identifier a --refresh 5 --segment x',
  ],
])('the monitor reads %s', (line, expected) => {
  expect(rewritten(line)).toBe(`monitor metrics create ${expected}`);
});

test('the options of other commands are unchanged', () => {
  expect(rewritten('search -s x -n 5')).toBe('search -s x -n 5');
});
