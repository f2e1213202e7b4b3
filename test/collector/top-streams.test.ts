import { expect, test } from 'vitest';
import type { StreamStatus } from '../../src/collector/stream-status.ts';
import { TopStreams } from '../../src/collector/top-streams.ts';
import type { StreamId } from '../../src/records/stream-id.ts';
import { FakeClock } from '../support/fake-clock.ts';

const stream = (name: string, accepted: number, waiting: number): StreamStatus => ({
  stream: name as StreamId,
  origin: `/logs/${name}`,
  readBytes: accepted,
  acceptedBytes: accepted,
  waitingBytes: waiting,
  ...(waiting > 0 && { oldestWaitingMs: 1500 }),
});

const NONE = () => undefined;

test('returns the streams with the highest rates, with the time to catch up', async () => {
  const clock = new FakeClock();
  const top = new TopStreams(clock);
  const names = Array.from({ length: 1000 }, (_, index) => `s${index}`);
  const query = { limit: 2, key: 'rate', sentRecords: () => 7 } as const;
  const first = top.list(
    names.map((name) => stream(name, 0, 1000)),
    query,
  );
  expect(first).toHaveLength(2);
  expect(first[0]).not.toHaveProperty('bytesPerSecond');
  await clock.advance(2000);
  const second = top.list(
    names.map((name, index) =>
      stream(name, index === 500 ? 400 : index === 7 ? 200 : 0, index === 500 ? 600 : 1000),
    ),
    { ...query, sentRecords: (id) => (id === 's500' ? 27 : 7) },
  );
  expect(second).toMatchObject([
    { source: '/logs/s500', bytesPerSecond: 200, recordsPerSecond: 10, catchUpSeconds: 3, lagSeconds: 1.5 },
    { source: '/logs/s7', bytesPerSecond: 100 },
  ]);
  expect(second[1]).not.toHaveProperty('catchUpSeconds');
});

test('sorts by backlog and by name', () => {
  const top = new TopStreams(new FakeClock());
  const streams = [stream('b', 0, 1), stream('a', 0, 5), stream('c', 0, 9)];
  const sourcesBy = (key: 'backlog' | 'name') =>
    top.list(streams, { limit: 2, key, sentRecords: NONE }).map(({ source }) => source);
  expect(sourcesBy('backlog')).toEqual(['/logs/c', '/logs/a']);
  expect(sourcesBy('name')).toEqual(['/logs/a', '/logs/b']);
});
