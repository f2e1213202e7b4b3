import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createPgLogfebeEvents } from '../../../../src/collector/sources/pg-logfebe/events.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const TENANT = { identity: 'a', path: '/run/a', name: undefined };

it('logs connections and disconnections at INFO, many of one socket as one line', () => {
  const { logger, lines } = capturedLogger();
  const events = createPgLogfebeEvents(logger, new Registry(), new FakeClock());
  const version = { text: '15.1', major: 15, unheardOf: false };
  for (let each = 0; each < 1000; each++) {
    events.established(TENANT, version, each === 0);
    events.disconnected(TENANT, 2);
  }
  events.stop();
  const logged = lines.map(({ level, msg, count }) => ({ level, msg, count }));
  expect(logged).toHaveLength(5);
  const counts = logged.map(({ msg, count }) => [msg, count]);
  expect(counts).toContainEqual(['A PostgreSQL process has connected.', 998]);
  expect(counts).toContainEqual(['A PostgreSQL process has disconnected.', 999]);
  expect(logged.map(({ level }) => level)).toEqual([30, 30, 30, 30, 30]);
});
