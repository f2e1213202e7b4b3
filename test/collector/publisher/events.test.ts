import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { PUBLISHER_EVENTS } from '../../../src/collector/publisher/events.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';

it('logs an unreachable aggregator once a minute, another reason or address at once', async () => {
  const clock = new FakeClock();
  const { logger, lines } = capturedLogger();
  const events = PUBLISHER_EVENTS.open({ logger, metrics: new Registry(), clock });
  const warnings = () => lines.filter(({ level }) => level === 40).length;

  for (let second = 0; second < 125; second++) {
    events.unreachable({ address: 'a:1', reason: 'refused' });
    await clock.advance(1000);
  }
  expect(warnings()).toBe(3);
  events.unreachable({ address: 'b:1', reason: 'refused' });
  events.unreachable({ address: 'a:1', reason: 'no route' });
  expect(warnings()).toBe(5);

  events.connected({ address: 'a:1', software: 'test' });
  events.unreachable({ address: 'a:1', reason: 'no route' });
  expect(warnings()).toBe(6);
});
