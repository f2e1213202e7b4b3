import { expect, test } from 'vitest';
import type { ListenerStatus, SourceStatus } from '../../src/collector/source.ts';
import { statusReport } from '../../src/collector/status-report.ts';
import { StatusReport } from '../../src/records/gen/megacollector/v1/aggregator.ts';
import { mintStreamId } from '../../src/records/stream-id.ts';

const stream = (readBytes: number, acceptedBytes: number, waitingBytes: number) => ({
  stream: mintStreamId(),
  origin: '/var/log/a',
  readBytes,
  acceptedBytes,
  waitingBytes,
});

const listener = (name: string, more: Partial<ListenerStatus> = {}): ListenerStatus => ({
  listener: name,
  state: 'listening',
  address: '0.0.0.0:514',
  clients: [
    { address: '10.0.0.1', sockets: 2 },
    { address: '10.0.0.2', sockets: 1 },
  ],
  dropped: { noRoom: 1, kernel: 2, thread: 4 },
  ...more,
});

test('sums up the streams of all sources', () => {
  // A file of which 300 bytes are not accepted, 100 of them read; a journal with 50 bytes.
  const sources: SourceStatus[] = [
    { streams: [stream(500, 400, 300)], lostBytes: 9 },
    { streams: [stream(150, 100, 50)], lostBytes: 1 },
  ];
  expect(statusReport(sources)).toEqual({
    lagBytes: 350n,
    queuedBytes: 150n,
    lostBytes: 10n,
    streams: 2,
    listeners: [],
    omittedListeners: 0,
    problems: [],
  });
});

test('has the listeners with their counters', () => {
  const listeners = [
    listener('udp://0.0.0.0:514', { records: 10, bytes: 2 ** 40 }),
    listener('relp+tls://:6514'),
  ];
  const report = statusReport([{ streams: [], listeners }]);
  const senders = [
    { address: '10.0.0.1', sockets: 2 },
    { address: '10.0.0.2', sockets: 1 },
  ];
  expect(report.listeners).toEqual([
    {
      name: 'udp://0.0.0.0:514',
      address: '0.0.0.0:514',
      protocol: 'udp',
      clients: 2,
      records: 10n,
      bytes: 2n ** 40n,
      dropped: 5n,
      kernelDropped: 2n,
      senders,
    },
    expect.objectContaining({ protocol: 'relp+tls', records: undefined, bytes: undefined }),
  ]);
  expect(StatusReport.decode(StatusReport.encode(report).finish())).toEqual(report);
});

test('has each problem once, and a limited number of them', () => {
  const failure = 'Cannot listen at tcp://:514: EACCES.';
  const closed = listener('tcp://:514', { state: 'closed', failure });
  const sources = [{ streams: [], failure, listeners: [closed] }];
  expect(statusReport(sources, { failure: 'the disk is full' }).problems).toEqual([
    'the disk is full',
    failure,
  ]);
  const many = Array.from({ length: 50 }, (_, at) => ({ streams: [], failure: `${at}${'x'.repeat(5000)}` }));
  const { problems } = statusReport(many);
  expect(problems).toHaveLength(8);
  expect(problems.every((text) => text.length === 255)).toBe(true);
});

test('a report that would be too large leaves out senders first, then listeners, and says how many', () => {
  const clients = Array.from({ length: 1000 }, (_, at) => ({ address: `10.0.0.${at}`, sockets: 1 }));
  const sizeOf = (report: StatusReport) => StatusReport.encode(report).finish().length;
  const withListeners = (count: number) =>
    statusReport([
      {
        streams: [],
        listeners: Array.from({ length: count }, (_, at) => listener(`tcp://host-${at}:514`, { clients })),
      },
    ]);
  expect(withListeners(2).listeners.map(({ senders }) => senders.length)).toEqual([20, 20]);
  const withoutSenders = withListeners(100);
  expect(withoutSenders).toMatchObject({ omittedListeners: 0 });
  expect(withoutSenders.listeners.map(({ clients: of, senders }) => [of, senders.length])).toEqual(
    Array.from({ length: 100 }, () => [1000, 0]),
  );
  const cut = withListeners(1000);
  expect(cut.omittedListeners).toBe(1000 - cut.listeners.length);
  for (const report of [withoutSenders, cut]) expect(sizeOf(report)).toBeLessThanOrEqual(16 * 1024);
  expect(cut.listeners.length).toBeGreaterThan(100);
});
