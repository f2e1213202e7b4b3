import { expect, it } from 'vitest';
import { awaitAggregator } from '../../src/collector/await-aggregator.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { FakeClock } from '../support/fake-clock.ts';

function waiting(connectedTo?: string) {
  const clock = new FakeClock();
  const { logger, lines } = capturedLogger();
  const addresses = ['127.0.0.1:8000'];
  const cancel = awaitAggregator({ connectedTo }, { addresses, clock, logger });
  return { clock, lines, cancel };
}

it('logs the addresses and how to start an aggregator when none is reachable for a while', async () => {
  const { clock, lines } = waiting();
  await clock.advance(2_900);
  expect(lines).toEqual([]);
  await clock.advance(60_000);
  expect(lines).toEqual([
    expect.objectContaining({
      addresses: ['127.0.0.1:8000'],
      msg: expect.stringContaining('`mega-collector aggregator`') as string,
    }),
  ]);
});

it('logs nothing when an aggregator is reachable, or after the wait is cancelled', async () => {
  const connected = waiting('127.0.0.1:8000');
  await connected.clock.advance(60_000);
  const { clock, lines, cancel } = waiting();
  cancel();
  await clock.advance(60_000);
  expect([...connected.lines, ...lines]).toEqual([]);
});

it('fails with the addresses when no aggregator is reachable for too long, at the start or later', async () => {
  const clock = new FakeClock();
  const { logger } = capturedLogger();
  const publisher: { connectedTo: string | undefined } = { connectedTo: '127.0.0.1:8000' };
  const errors: Error[] = [];
  awaitAggregator(publisher, {
    addresses: ['127.0.0.1:8000'],
    clock,
    logger,
    timeoutMs: 60_000,
    fail: (error) => void errors.push(error),
  });
  await clock.advance(300_000);
  expect(errors).toEqual([]);
  publisher.connectedTo = undefined;
  await clock.advance(59_000);
  expect(errors).toEqual([]);
  await clock.advance(2_000);
  expect(errors.map(({ message }) => message)).toEqual([
    expect.stringContaining('Cannot reach an aggregator at 127.0.0.1:8000 within 60 s.') as string,
  ]);
});
