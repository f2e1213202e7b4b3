import { expect, test } from 'vitest';
import { conciseReason } from '../../../src/collector/publisher/concise-reason.ts';

test.each(['connect ECONNREFUSED 127.0.0.1:1', '14 x'])('keeps %s', (reason) =>
  expect(conciseReason(reason)).toBe(reason),
);

test.each([
  '80A:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../ssl/rec.c:1600:SSL alert number 116, before the peer sent HTTP/2',
  'error:0A000418:SSL routines::tlsv1 alert unknown ca',
  'the peer closed the connection, before the peer sent HTTP/2',
  'read ECONNRESET, before the peer sent HTTP/2',
])('reports that the aggregator refused the certificate: %s', (reason) => {
  expect(conciseReason(reason)).toMatch(/refused (?:the certificate|that) of this collector/);
});
