import { expect, test } from 'vitest';
import { deadLettersAnswer, statusAnswer } from '../../src/cli/answers.ts';

function problem(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the answer was accepted');
}

test('names the place of what another version answers, in our words', () => {
  const letters = [{ id: 1 }];
  const message = problem(() => deadLettersAnswer(letters));
  expect(message).toMatch(
    /^Cannot read the answer of the process that owns the state \(is it of another version\?\): .*answer\[0\]\.id: expected a text, found a number/,
  );
  expect(message).toContain('Run the same version.');
  expect(message).not.toMatch(/Invalid|received|✖/);
});

test('says what was expected where none of several forms fits', () => {
  expect(problem(() => statusAnswer({ role: 'broker' }))).not.toMatch(/Invalid|received|✖/);
});
