import { expect, test } from 'vitest';
import {
  discardDeadLetters,
  getDeadLetter,
  listDeadLetters,
} from '../../../src/aggregator/api/operations/dead-letter-operations.ts';
import { forgetEmitter } from '../../../src/aggregator/api/operations/queue-operations.ts';
import { getCollectorStatus } from '../../../src/collector/operations.ts';
import { operationCall } from '../../../src/runtime/operations/operation-call.ts';

test('a parameter with any content fills one segment of the path', () => {
  const id = 'a b/../日?x=1#%';
  const { path } = operationCall(getDeadLetter, { parameters: { id } });
  expect(path).toBe(`/v1/dead-letters/${encodeURIComponent(id)}`);
  expect(path.split('/')).toHaveLength(4);
});

test('an empty parameter is rejected: its path would be another one', () => {
  expect(() => operationCall(forgetEmitter, { parameters: { name: '' } })).toThrow('name: must not be empty');
});

test('a query has the given values, and leaves out the others', () => {
  expect(operationCall(getCollectorStatus, { query: { verbose: true } }).path).toBe(
    '/v1/status?verbose=true',
  );
  expect(operationCall(listDeadLetters, { query: { emitter: undefined } }).path).toBe('/v1/dead-letters');
  expect(operationCall(listDeadLetters, { query: { emitter: 'a&b=c' } }).path).toBe(
    '/v1/dead-letters?emitter=a%26b%3Dc',
  );
});

test('a body is JSON', () => {
  expect(operationCall(discardDeadLetters, { body: { ids: ['a'] } })).toEqual({
    method: 'POST',
    path: '/v1/dead-letters/discard',
    body: '{"ids":["a"]}',
  });
});
