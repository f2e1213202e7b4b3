import { describe, expect, test } from 'vitest';
import { listDeadLetters } from '../../../src/aggregator/api/operations/dead-letter-operations.ts';
import { getStatus } from '../../../src/aggregator/api/operations/queue-operations.ts';
import { getCollectorStatus } from '../../../src/collector/operations.ts';
import { operationAnswer } from '../../../src/runtime/operations/operation-answer.ts';

function problem(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the answer was accepted');
}

const reply = (value: unknown, status = 200) => ({ status, text: JSON.stringify(value) });

test('names the place of an unexpected value in the answer of another version', () => {
  const message = problem(() => operationAnswer(listDeadLetters, reply({ deadLetters: [{ id: 1 }] })));
  expect(message).toMatch(
    /^Cannot read the answer of the process that owns the state \(is it of another version\?\): .*answer\.deadLetters\[0\]\.id: expected a text, found a number/,
  );
  expect(message).toContain('Run the same version.');
  expect(message).not.toMatch(/Invalid|received|✖/);
});

test('names the expected value when another role answers', () => {
  expect(problem(() => operationAnswer(getStatus, reply({ role: 'broker' })))).toMatch(
    /role: expected aggregator/,
  );
});

test('keeps fields of a later version in a status', () => {
  const status = { role: 'collector', read: 1, accepted: 1, waiting: 0, unread: 0, later: true };
  expect(operationAnswer(getCollectorStatus, reply(status))).toEqual(status);
});

describe('an error', () => {
  test('has the code, the message and the problems of the process', () => {
    const problems = [{ path: 'ids', message: 'expected a list, found a text' }];
    const error = { code: 'invalid-request', message: 'The request has a problem.', problems };
    expect(() => operationAnswer(getStatus, reply({ error }, 400))).toThrow(
      expect.objectContaining({
        name: 'OperationError',
        status: 400,
        code: 'invalid-request',
        message: 'The request has a problem.\n  ids: expected a list, found a text',
      }),
    );
  });

  test('without the form of an error is reported with its status', () => {
    for (const text of ['', '<html>', '{"error":"no"}']) {
      expect(problem(() => operationAnswer(getStatus, { status: 502, text }))).toMatch(/HTTP status 502/);
    }
  });
});
