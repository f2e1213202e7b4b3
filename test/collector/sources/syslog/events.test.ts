import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { SYSLOG_EVENTS } from '../../../../src/collector/sources/syslog/events.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

test('logs a fault once for each address, not for each connection of it', () => {
  const { logger, lines } = capturedLogger();
  const events = SYSLOG_EVENTS.open({ logger, metrics: new Registry(), clock: new FakeClock() });
  const peers = [
    '10.0.0.1:1',
    '10.0.0.1:2',
    '10.0.0.2:1',
    '[2001:db8::1]:1',
    '[2001:db8::1]:2',
    '[2001:db8::2]:1',
  ];
  for (const peer of peers)
    events.faulty({ listener: 'relp://127.0.0.1:2514', peer, kind: 'bad frame', reason: 'a reason' });
  expect(lines.map(({ peer }) => peer)).toEqual([
    '10.0.0.1:1',
    '10.0.0.2:1',
    '[2001:db8::1]:1',
    '[2001:db8::2]:1',
  ]);
});
