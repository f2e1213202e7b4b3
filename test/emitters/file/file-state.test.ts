import { expect, test } from 'vitest';
import { fileStateFromJson } from '../../../src/emitters/file/file-state.ts';

test('names the place of the fault in a state that it cannot read, in our words', () => {
  expect(() => fileStateFromJson({ version: 1, files: [{ path: 7 }] })).toThrow(
    /^Cannot read the committed state of the file emitter: .*state\.files\[0\]\.path: expected a text, found a number/,
  );
});
