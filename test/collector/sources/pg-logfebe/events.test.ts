import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createPgLogfebeEvents } from '../../../../src/collector/sources/pg-logfebe/events.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const TENANT = { identity: 'a', path: '/run/a', name: undefined };

it('logs connections and disconnections at INFO, with one line for many of one socket', () => {
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
  expect(counts).toContainEqual(['A PostgreSQL process connected', 998]);
  expect(counts).toContainEqual(['A PostgreSQL process disconnected', 999]);
  expect(logged.map(({ level }) => level)).toEqual([30, 30, 30, 30, 30]);
});

it('logs the first faults of one socket, then one line with their count, and counts each fault', async () => {
  const { logger, lines } = capturedLogger();
  const metrics = new Registry();
  const events = createPgLogfebeEvents(logger, metrics, new FakeClock());
  for (let each = 0; each < 1000; each++) {
    events.faulty(TENANT, { kind: 'bad length', reason: `fault ${each}` }, 2);
    events.startupTimedOut(TENANT);
    events.listenFailed(TENANT, new Error(`failure ${each}`));
  }
  events.startupTimedOut({ ...TENANT, path: '/run/b' });
  expect(lines).toHaveLength(61);
  expect(lines.at(-1)).toMatchObject({ path: '/run/b' });
  events.stop();
  expect(lines.slice(61)).toMatchObject([
    { reason: 'fault 999', count: 980 },
    { path: '/run/a', count: 980 },
    { reason: 'failure 999', count: 980 },
  ]);
  const text = await metrics.getSingleMetricAsString('collector_pg_logfebe_faults_total');
  expect(text).toContain('{kind="silence"} 1001');
});
