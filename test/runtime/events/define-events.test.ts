import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { defineEvents } from '../../../src/runtime/events/define-events.ts';
import { counter, gauge, histogram, metricTable } from '../../../src/runtime/events/metric-table.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const METRICS = metricTable('test_', {
  sent: counter('sent_total', 'Messages sent'),
  failures: counter('failures_total', 'Failures', { labels: ['reason'] }),
  connected: gauge('connected', '1 while connected'),
  queued: gauge('queued_bytes', 'Bytes queued', { labels: ['emitter'] }),
  duration: histogram('duration_seconds', 'Duration', { buckets: [1, 2] }),
});

const EVENTS = defineEvents(METRICS, (event) => ({
  sent: event<{ messages: number }>({ count: ({ sent }, { messages }) => sent.inc(messages) }),
  failed: event<{ reason: string; attempts: number }>({
    warn: 'Cannot send',
    count: ({ failures }, { reason }) => failures.inc(1, { reason }),
    fields: ({ reason }) => ({ reason }),
  }),
  stopped: event({ info: 'Stopped', count: ({ connected }) => connected.set(0) }),
  refused: event<{ peer: string }>({ error: 'Rejected a peer', limit: { party: ({ peer }) => peer } }),
  broken: event<{ reason: string }>({
    warn: ({ reason }) => `Broken: ${reason}`,
    once: ({ reason }) => ({ topic: 'health', value: reason }),
  }),
  repaired: event({ info: 'Repaired', ends: () => 'health' }),
  took: event<{ seconds: number }>({ count: ({ duration }, { seconds }) => duration.observe(seconds) }),
}));

function opened() {
  const { logger, lines } = capturedLogger();
  const metrics = new Registry();
  const clock = new FakeClock();
  const readings = { queued: () => [[{ emitter: 'gelf' }, 7]] as const };
  const events = EVENTS.open({ logger, metrics, clock, readings });
  return { events, lines, metrics, clock, logger };
}

const messages = (lines: readonly { msg: string }[]) => lines.map(({ msg }) => msg);

describe('an event', () => {
  test('without a message is only counted', async () => {
    const { events, lines, metrics } = opened();
    events.sent({ messages: 2 });
    events.sent({ messages: 3 });
    expect(lines).toEqual([]);
    expect(await metrics.getSingleMetricAsString('test_sent_total')).toContain('test_sent_total 5');
  });

  test('logs its message with its fields, and counts with labels', async () => {
    const { events, lines, metrics } = opened();
    events.failed({ reason: 'ECONNREFUSED', attempts: 3 });
    expect(lines).toMatchObject([{ level: 40, msg: 'Cannot send', reason: 'ECONNREFUSED' }]);
    expect(lines[0]).not.toHaveProperty('attempts');
    expect(await metrics.metrics()).toContain('test_failures_total{reason="ECONNREFUSED"} 1');
  });

  test('without fields is reported without an argument', async () => {
    const { events, lines, metrics } = opened();
    events.stopped();
    expect(messages(lines)).toEqual(['Stopped']);
    expect(await metrics.metrics()).toContain('test_connected 0');
  });

  test('with a limit is logged once for each party, and the rest with its number', () => {
    const { events, lines } = opened();
    for (let index = 0; index < 3; index++) events.refused({ peer: 'a' });
    events.refused({ peer: 'b' });
    expect(lines).toMatchObject([{ peer: 'a' }, { peer: 'b' }]);
    events.flush();
    expect(lines.at(-1)).toMatchObject({ peer: 'a', count: 2 });
  });

  test('of a topic is logged when its value changes, and again after the end of the topic', () => {
    const { events, lines } = opened();
    events.repaired();
    for (const reason of ['x', 'x', 'y']) events.broken({ reason });
    events.repaired();
    events.repaired();
    events.broken({ reason: 'y' });
    expect(messages(lines)).toEqual(['Broken: x', 'Broken: y', 'Repaired', 'Broken: y']);
  });
});

describe('metrics of a table', () => {
  test('are there with 0 before anything happened', async () => {
    expect(await opened().metrics.metrics()).toContain('test_sent_total 0');
  });

  test('that are read at a scrape show all sets of labels', async () => {
    expect(await opened().metrics.metrics()).toContain('test_queued_bytes{emitter="gelf"} 7');
  });

  test('are shared by several owners of one registry, each with its own labels', async () => {
    const table = metricTable('shared_', {
      records: counter('records_total', 'Records', { labels: ['emitter'] }),
    });
    const shared = defineEvents(table, (event) => ({
      delivered: event({ count: ({ records }) => records.inc() }),
    }));
    const { logger, metrics } = opened();
    const [one, two] = ['one', 'two'].map((emitter) => shared.open({ logger, metrics, labels: { emitter } }));
    one?.delivered();
    two?.delivered();
    two?.delivered();
    const text = await metrics.metrics();
    expect(text).toContain('shared_records_total{emitter="one"} 1');
    expect(text).toContain('shared_records_total{emitter="two"} 2');
  });

  test('observe durations', async () => {
    const { events, metrics } = opened();
    events.took({ seconds: 1.5 });
    expect(await metrics.metrics()).toContain('test_duration_seconds_bucket{le="2"} 1');
  });
});

test('events with a limit cannot be opened without a clock', () => {
  const { logger, metrics } = opened();
  expect(() => EVENTS.open({ logger, metrics: new Registry() })).toThrow('need a clock');
  expect(metrics).toBeDefined();
});
