import { expect, it } from 'vitest';
import { escapeControls, escapeUnseen } from '../../../src/runtime/logging/escape-controls.ts';

const HOSTILE = 'a\u001b[31m\u009b2J\u202egnp\u2066\u2028\u2029\u200f\u007f\n\r\tb';

it('makes controls, separators and marks of direction visible, and leaves TAB', () => {
  expect(escapeControls(HOSTILE)).toBe(
    'a\\x1b[31m\\x9b2J\\u202egnp\\u2066\\u2028\\u2029\\u200f\\x7f\\n\\r\tb',
  );
  expect(escapeControls('caf\u00e9 \u4f60 \ud83d\ude00')).toBe('caf\u00e9 \u4f60 \ud83d\ude00');
});

it('escapes JSON such that it means the same', () => {
  const json = escapeUnseen(JSON.stringify({ host: HOSTILE }));
  expect(JSON.parse(json)).toEqual({ host: HOSTILE });
  expect(json).not.toMatch(/[\u007f-\u009f\u2028\u2029\u202e\u2066\u200f]/);
});
