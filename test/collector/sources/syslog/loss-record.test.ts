import { expect, it } from 'vitest';
import { dropRecord, lossRecord } from '../../../../src/collector/sources/syslog/loss-record.ts';

it('names the cause of each loss', () => {
  const texts = [
    dropRecord('kernel', 1, 0),
    dropRecord('thread', 2, 0),
    lossRecord({ records: 3, bytes: 40, fromUnixMs: 0, toUnixMs: 0 }),
  ].map((record) => record.toString().split(' - loss - ')[1]);
  expect(texts).toEqual([
    'the kernel dropped 1 message: the receive buffer was full\n',
    'mega-collector dropped 2 messages: the process could not keep up\n',
    'mega-collector lost 3 messages of 40 bytes from 1970-01-01T00:00:00.000Z: there was no room for them\n',
  ]);
});
