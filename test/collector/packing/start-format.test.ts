import { describe, expect, test } from 'vitest';
import { compileStartFormat } from '../../../src/collector/packing/start-format.ts';

function compiled(source: string) {
  const result = compileStartFormat(source);
  if (result.kind === 'invalid') throw new Error(result.reason);
  return result.format;
}

describe('a start format', () => {
  test.each([
    ['$DATETIME $WORD [$INT]', '2026-11-28 12:00:00,123 main [42] started', true],
    ['$DATETIME $WORD [$INT]', '2026-11-28T12:00:00.5+01:00 main   [42]', true],
    ['$DATETIME $WORD [$INT]', '2026-11-28 12:00:00 main [x]', false],
    ['$DATETIME $WORD [$INT]', '  at Main.java:42', false],
    ['$WORD[$INT]:', 'sshd[1234]: accepted', true],
    ['$WORD[$INT]:', 'sshd: accepted', false],
    ['$WORD: ', 'a:b: c', false],
    ['$INT|$SEVERITY|', '12|ERROR|text', true],
    ['$INT|$SEVERITY|', '12|ERRORS|text', false],
    ['$FACILITY.$SEVERITY', 'local0.warning', true],
    ['$APP_NAME - $MESSAGE', 'my-app.v2 - text', true],
    ['$APP_NAME - $MESSAGE', 'my-app.v2 - ', false],
    ['[', '[1', true],
    ['a.*b', 'axxb', false],
    ['$$5', '$5 off', true],
  ])('%s matches %s: %s', (source, text, expected) => {
    expect(compiled(source).matches(text)).toBe(expected);
  });

  test.each([
    '2026-11-28T12:00:00Z',
    '2026-11-28 12:00:00',
    '2026/11/28 12:00:00.123456',
    'Nov 28 12:00:00',
    'Nov  8 12:00:00',
    'Nov 28 2026 12:00:00',
    'Sat Nov 28 12:00:00 2026',
    '28/Nov/2026:12:00:00 +0100',
    '28.11.2026 12:00:00',
    '20261128T120000Z',
  ])('reads %s as a date with a time', (text) => {
    expect(compiled('$DATETIME x').matches(`${text} x`)).toBe(true);
  });

  test.each([
    ['', 'is empty'],
    [
      '$NAME',
      'does not know $NAME; known: $DATETIME, $WORD, $INT, $SEVERITY, $FACILITY, $APP_NAME, $MESSAGE',
    ],
    ['5 $', 'does not know $; known: $DATETIME, $WORD, $INT, $SEVERITY, $FACILITY, $APP_NAME, $MESSAGE'],
    ['$MESSAGE x', 'has $MESSAGE before its end'],
  ])('%j is invalid: it %s', (source, reason) => {
    expect(compileStartFormat(source)).toEqual({ kind: 'invalid', reason });
  });

  test('needs no more than one pass over a long text', () => {
    const format = compiled(`${'$WORD:'.repeat(50)}$INT`);
    const text = 'a:'.repeat(500_000);
    expect(format.matches(text)).toBe(false);
    expect(format.matches('a'.repeat(1_000_000))).toBe(false);
  });
});
