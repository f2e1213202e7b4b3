import { expect, test } from 'vitest';
import { StreamRegister } from '../../../../src/aggregator/intake/activity/stream-register.ts';
import { mintStreamId } from '../../../../src/records/stream-id.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { recordBatch } from '../../../support/record-batches.ts';

const batchOf = (stream = mintStreamId(), path = '/var/log/a') => ({
  ...recordBatch(['one\n'], { stream }),
  resource: new Map([['log.file.path', path]]),
});

test('streams are listed with their newest resource, the newest first', async () => {
  const clock = new FakeClock();
  const register = new StreamRegister(clock);
  const [first, second] = [batchOf(), batchOf()];
  register.accepted(first, 'a');
  register.accepted(second, 'b');
  await clock.advance(1000);
  register.accepted(batchOf(first.stream, '/var/log/renamed'), 'a');
  expect(register.count).toBe(2);
  expect(register.list(10)).toMatchObject([
    {
      stream: first.stream,
      collector: 'a',
      resource: new Map([['log.file.path', '/var/log/renamed']]),
      format: first.format,
      lastSeenUnixNano: clock.nowUnixNano(),
    },
    { stream: second.stream, collector: 'b' },
  ]);
  expect(register.list(1)).toMatchObject([{ stream: first.stream }]);
  expect(register.list(10, 'b')).toMatchObject([{ stream: second.stream }]);
  expect(register.list(10, 'c')).toEqual([]);
});

test('the streams that were silent longest are removed when there are too many', () => {
  const register = new StreamRegister(new FakeClock(), { streams: 2, bytes: 1000 });
  const batches = [batchOf(), batchOf(), batchOf()];
  for (const batch of batches) register.accepted(batch, 'a');
  expect(register.list(10).map(({ stream }) => stream)).toEqual([batches[2]?.stream, batches[1]?.stream]);
});

test('the texts of all resources together are limited', () => {
  const register = new StreamRegister(new FakeClock(), { streams: 100, bytes: 1000 });
  for (let at = 0; at < 10; at++) register.accepted(batchOf(undefined, 'x'.repeat(400)), 'a');
  expect(register.count).toBe(2);
  register.accepted(batchOf(undefined, 'x'.repeat(1001)), 'a');
  expect(register.count).toBe(0);
  const { stream } = batchOf();
  for (let at = 0; at < 10; at++) register.accepted(batchOf(stream, 'x'.repeat(400)), 'a');
  expect(register.count).toBe(1);
});
