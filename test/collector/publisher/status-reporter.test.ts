import { expect, test, vi } from 'vitest';
import { statusReport } from '../../../src/collector/status-report.ts';
import { mintStreamId } from '../../../src/records/stream-id.ts';
import { startIntake, startPublisher } from '../../support/wire-pair.ts';

test('a report arrives at the aggregator over gRPC, and its end is noticed', async () => {
  const { address, collectors } = await startIntake();
  const stream = {
    stream: mintStreamId(),
    origin: '/a',
    readBytes: 300,
    acceptedBytes: 100,
    waitingBytes: 500,
  };
  const report = statusReport([{ streams: [stream], failure: 'the disk is full', lostBytes: 2 ** 40 }]);
  const { publisher } = await startPublisher([address], { status: () => report });
  await vi.waitFor(() => expect(collectors.list()).toMatchObject([{ report }]), 10_000);
  expect(collectors.list()).toMatchObject([{ host: 'h', software: 'test/1', isConnected: true }]);
  expect(collectors.list()[0]?.address).toMatch(/^127\.0\.0\.1:\d+$/);
  await publisher.stop(AbortSignal.timeout(5_000));
  await vi.waitFor(() => expect(collectors.connected).toBe(0), 10_000);
  expect(collectors.list()).toMatchObject([{ isConnected: false, report }]);
});
