import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { PG_LOGFEBE_EVENTS } from '../../../../src/collector/sources/pg-logfebe/events.ts';
import { capturedLogger } from '../../../support/captured-logger.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const TENANT = { identity: 'a', path: '/run/a', name: undefined };

it('logs connections and disconnections at INFO, with one line for many of one socket', () => {
  const { logger, lines } = capturedLogger();
  const events = PG_LOGFEBE_EVENTS.open({ logger, metrics: new Registry(), clock: new FakeClock() });
  const connected = { ...TENANT, version: '15.1' };
  events.firstEstablished(connected);
  for (let each = 0; each < 1000; each++) {
    if (each > 0) events.established(connected);
    events.disconnected({ ...TENANT, records: 2 });
  }
  events.flush();
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
  const events = PG_LOGFEBE_EVENTS.open({ logger, metrics, clock: new FakeClock() });
  for (let each = 0; each < 1000; each++) {
    events.faulty({ ...TENANT, kind: 'bad length', reason: `fault ${each}`, records: 2 });
    events.startupTimedOut(TENANT);
    events.listenFailed({ ...TENANT, reason: `failure ${each}` });
  }
  events.startupTimedOut({ ...TENANT, path: '/run/b' });
  expect(lines).toHaveLength(61);
  expect(lines.at(-1)).toMatchObject({ path: '/run/b' });
  events.flush();
  expect(lines.slice(61)).toMatchObject([
    { reason: 'fault 999', count: 980 },
    { path: '/run/a', count: 980 },
    { reason: 'failure 999', count: 980 },
  ]);
  const text = await metrics.getSingleMetricAsString('collector_pg_logfebe_faults_total');
  expect(text).toContain('{kind="silence"} 1001');
});
