import { describe, expect, test } from 'vitest';
import {
  editDistance,
  nearestName,
  unknownVariables,
} from '../../../src/runtime/configuration/unknown-variables.ts';

const KNOWN = ['AGGREGATOR_MAX_BATCH_SIZE', 'AGGREGATOR_RETRY_COUNT', 'AGGREGATOR_TLS'];

describe('unknownVariables', () => {
  test('warns with the nearest name', () => {
    expect(unknownVariables('AGGREGATOR_', KNOWN, { AGGREGATOR_MAX_BATCHSIZE: '1', PATH: '/bin' })).toEqual([
      {
        variable: 'AGGREGATOR_MAX_BATCHSIZE',
        message: 'is not known and has no effect; did you mean AGGREGATOR_MAX_BATCH_SIZE?',
      },
    ]);
  });

  test('suggests no name that is too different', () => {
    const [warning] = unknownVariables('AGGREGATOR_', KNOWN, { AGGREGATOR_FAVOURITE_COLOUR_OF_THE_DAY: 'x' });
    expect(warning?.message).toBe('is not known and has no effect');
  });

  test.each([
    'AGGREGATOR_PORT',
    'AGGREGATOR_SERVICE_HOST',
    'AGGREGATOR_SERVICE_PORT',
    'AGGREGATOR_SERVICE_PORT_GRPC',
    'AGGREGATOR_PORT_8000_TCP',
    'AGGREGATOR_PORT_8000_TCP_ADDR',
    'AGGREGATOR_PORT_8000_TCP_PORT',
    'AGGREGATOR_PORT_8000_TCP_PROTO',
    'AGGREGATOR_HEADLESS_SERVICE_HOST',
  ])('leaves %s of Kubernetes alone', (name) => {
    expect(unknownVariables('AGGREGATOR_', KNOWN, { [name]: 'tcp://10.0.0.1:8000' })).toEqual([]);
  });

  test('does not warn of known variables', () => {
    expect(unknownVariables('AGGREGATOR_', KNOWN, { AGGREGATOR_TLS: '1' })).toEqual([]);
  });
});

test.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['abc', '', 3],
  ['kitten', 'sitting', 3],
])('from %j to %j it takes %i edits', (from, to, edits) => {
  expect(editDistance(from, to)).toBe(edits);
});

test('suggests the nearest of several similar names', () => {
  expect(nearestName('AGGREGATOR_TSL', KNOWN)).toBe('AGGREGATOR_TLS');
});

test('suggests no name that only shares the prefix', () => {
  const [warning] = unknownVariables('AGGREGATOR_', ['AGGREGATOR_TLS'], { AGGREGATOR_FOO: '1' });
  expect(warning?.message).toBe('is not known and has no effect');
});
