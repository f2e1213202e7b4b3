import { expect, test } from 'vitest';
import { conciseReason } from '../../../src/collector/publisher/concise-reason.ts';

test.each([
  [
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ',
    'connect ECONNREFUSED 127.0.0.1:1',
  ],
  ['14 x', '14 x'],
])('shortens %s', (details, reason) => expect(conciseReason(details)).toBe(reason));

test.each([
  'No connection established. Last error: Error: 80A:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../ssl/rec.c:1600:SSL alert number 116. Resolution note: ',
  'No connection established. Last error: error:0A000418:SSL routines::tlsv1 alert unknown ca. Resolution note: ',
  'Failed to connect (2026-01-02T03:04:05.678Z)',
])('reports that the aggregator refused the certificate: %s', (details) => {
  expect(conciseReason(details)).toMatch(/refused (?:the certificate|that) of this collector/);
});
