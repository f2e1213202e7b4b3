import { expect, it } from 'vitest';
import { LoggingNotifier } from '../../../src/aggregator/notify/logging-notifier.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';

it('logs an incident once a minute with summed amounts, and its end', async () => {
  const { logger, lines } = capturedLogger();
  const clock = new FakeClock();
  const notifier = new LoggingNotifier(logger, clock);
  const incident = { emitter: 'text', kind: 'delivery' } as const;
  const details = { reason: 'EPIPE', records: 2, bytes: 20, attempts: 1 };
  notifier.resolve(incident);
  for (let i = 0; i < 100; i++) notifier.trigger(incident, details);
  expect(lines).toHaveLength(1);
  expect(notifier.openIncidents()).toEqual([incident]);
  await clock.advance(60_000);
  notifier.trigger(incident, details);
  notifier.resolve(incident);
  expect(notifier.openIncidents()).toEqual([]);
  expect(lines).toMatchObject([
    { level: 50, incident: 'text/delivery', reason: 'EPIPE', records: 2 },
    { level: 50, records: 202, bytes: 2020, attempts: 101 },
    { level: 30, msg: 'An incident is resolved' },
  ]);
});

it('reports open incidents with their last reason and their beginning', async () => {
  const clock = new FakeClock();
  const notifier = new LoggingNotifier(capturedLogger().logger, clock);
  const incident = { emitter: 'text', kind: 'delivery' } as const;
  const since = new Date(Number(clock.nowUnixNano() / 1_000_000n)).toISOString();
  for (const reason of ['EPIPE', 'ECONNREFUSED']) {
    notifier.trigger(incident, { reason, records: 1, bytes: 1, attempts: 1 });
    await clock.advance(1000);
  }
  expect(notifier.report()).toEqual({
    openIncidents: [{ key: 'text/delivery', summary: 'ECONNREFUSED', since }],
    lastError: undefined,
  });
  notifier.resolve(incident);
  expect(notifier.report().openIncidents).toEqual([]);
});
