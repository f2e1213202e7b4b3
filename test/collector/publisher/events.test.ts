import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createPublisherEvents } from '../../../src/collector/publisher/events.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';

it('logs an unreachable aggregator once a minute, another reason or address at once', async () => {
  const clock = new FakeClock();
  const { logger, lines } = capturedLogger();
  const events = createPublisherEvents(logger, new Registry(), clock);
  const warnings = () => lines.filter(({ level }) => level === 40).length;

  for (let second = 0; second < 125; second++) {
    events.unreachable('a:1', 'refused');
    await clock.advance(1000);
  }
  expect(warnings()).toBe(3);
  events.unreachable('b:1', 'refused');
  events.unreachable('a:1', 'no route');
  expect(warnings()).toBe(5);

  events.connected('a:1', 'test');
  events.unreachable('a:1', 'no route');
  expect(warnings()).toBe(6);
});
