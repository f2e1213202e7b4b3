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
  unreachable: event<{ reason: string }>({
    warn: 'Unreachable',
    limit: { party: ({ reason }) => reason },
    begins: () => 'connection',
  }),
  reached: event({ info: 'Reached', ends: () => 'connection' }),
  deleted: event<{ rows: number; why: string }>({
    info: 'Deleted',
    limit: { party: ({ why }) => why, intervalMs: 1000, sum: 'rows' },
  }),
  full: event<{ path: string }>({
    warn: 'Full',
    once: ({ path }) => ({ topic: path, value: '' }),
    repeatAfterMs: 60_000,
  }),
  changed: event<{ path: string }>({
    warn: 'Changed',
    once: ({ path }) => ({ topic: path, value: 'changed' }),
    repeatLevel: 'debug',
  }),
  restarted: event({ info: 'Restarted', endsAll: true }),
  received: event<number>({ count: ({ sent }, messages) => sent.inc(messages) }),
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

describe('an event of a topic', () => {
  test('is logged again when its time has passed', async () => {
    const { events, lines, clock } = opened();
    events.full({ path: 'a' });
    await clock.advance(59_000);
    events.full({ path: 'a' });
    expect(lines).toHaveLength(1);
    await clock.advance(1000);
    events.full({ path: 'a' });
    expect(lines).toHaveLength(2);
  });

  test('is logged at its level for repetitions when its value has not changed', () => {
    const { events, lines } = opened();
    for (const path of ['a', 'a', 'b']) events.changed({ path });
    expect(lines.map(({ level }) => level)).toEqual([40, 20, 40]);
  });

  test('is logged again after an event that ends all topics', () => {
    const { events, lines } = opened();
    events.restarted();
    events.full({ path: 'a' });
    events.restarted();
    events.full({ path: 'a' });
    expect(messages(lines)).toEqual(['Restarted', 'Full', 'Restarted', 'Full']);
  });

  test('is not logged from its limit when the topic has ended', () => {
    const { events, lines } = opened();
    for (let index = 0; index < 3; index++) events.unreachable({ reason: 'refused' });
    events.reached();
    events.reached();
    events.flush();
    expect(messages(lines)).toEqual(['Unreachable', 'Reached']);
  });

  test('is logged from its limit while the topic continues', () => {
    const { events, lines } = opened();
    for (let index = 0; index < 3; index++) events.unreachable({ reason: 'refused' });
    events.flush();
    expect(lines).toMatchObject([{ reason: 'refused' }, { reason: 'refused', count: 2 }]);
  });
});

describe('an event with a limit', () => {
  test('adds up a field of the lines that are held back', async () => {
    const { events, lines, clock } = opened();
    for (const rows of [1, 2, 3]) events.deleted({ rows, why: 'age' });
    await clock.advance(1000);
    expect(lines).toMatchObject([{ rows: 1 }, { rows: 5, why: 'age' }]);
    expect(lines[1]).not.toHaveProperty('count');
  });
});

describe('metrics of a table', () => {
  test('count an event whose only field is a number', async () => {
    const { events, metrics } = opened();
    events.received(7);
    expect(await metrics.metrics()).toContain('test_sent_total 7');
  });

  test('are also kept without labels under the prefix of an earlier version', async () => {
    const table = metricTable('new_', {
      records: counter('records_total', 'Records', { labels: ['source'] }),
      full: gauge('full', 'Full', { labels: ['source'] }),
    });
    const { logger, metrics } = opened();
    const events = defineEvents(table, (event) => ({
      stored: event<{ records: number }>({ count: (opened, { records }) => opened.records.inc(records) }),
    })).open({ logger, metrics, labels: { source: 'a' }, unlabelledPrefix: 'old_' });
    events.stored({ records: 3 });
    const text = await metrics.metrics();
    expect(text).toContain('new_records_total{source="a"} 3');
    expect(text).toContain('old_records_total 3');
    expect(text).toContain('new_full{source="a"} 0');
    expect(text).toContain('old_full 0');
  });

  test('get only those of the common labels that they have', async () => {
    const { logger, metrics } = opened();
    const table = metricTable('mixed_', {
      read: counter('read_total', 'Read', { labels: ['source'] }),
      lost: counter('lost_total', 'Lost', { labels: ['reason'] }),
      took: histogram('seconds', 'Duration', { labels: ['status'], buckets: [1] }),
      last: gauge('last', 'Last time', { labels: ['source'], startsEmpty: true }),
    });
    const events = defineEvents(table, (event) => ({
      lost: event({ count: ({ lost }) => lost.inc(2, { reason: 'gone' }) }),
      took: event({ count: ({ took }) => took.observe(0.5, { status: '200' }) }),
    })).open({ logger, metrics, labels: { source: 'tail' } });
    events.lost();
    events.took();
    const text = await metrics.metrics();
    expect(text).toContain('mixed_read_total{source="tail"} 0');
    expect(text).toContain('mixed_lost_total{reason="gone"} 2');
    expect(text).toContain('mixed_seconds_count{status="200"} 1');
    expect(text).not.toContain('mixed_last{');
  });

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
  expect(() => EVENTS.open({ logger, metrics: new Registry() })).toThrow('needs a clock');
  expect(metrics).toBeDefined();
});
