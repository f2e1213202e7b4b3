import { expect, test } from 'vitest';
import {
  CollectorRegister,
  MAX_REPORT_BYTES,
} from '../../../../src/aggregator/intake/activity/collector-register.ts';
import { StatusReport } from '../../../../src/records/gen/megacollector/v1/aggregator.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const report = (problem = '', lagBytes = 7n): StatusReport => ({
  lagBytes,
  queuedBytes: 0n,
  lostBytes: 0n,
  streams: 1,
  listeners: [],
  omittedListeners: 0,
  problems: [problem],
});

const collector = (id: string, host = 'web-1') => ({
  id,
  host,
  software: 'mega-collector/1.2.3',
  address: '10.0.0.1:1',
});

test('a collector is known with its report, also after it has disconnected', async () => {
  const clock = new FakeClock();
  const register = new CollectorRegister(clock);
  const connection = register.connect(collector('a'));
  connection.report(report());
  register.accepted('a', 100);
  register.accepted('unknown', 100);
  expect(register.connected).toBe(1);
  await clock.advance(1000);
  connection.seen();
  const seen = clock.nowUnixNano();
  await clock.advance(1000);
  connection.ended();
  connection.ended();
  expect(register.connected).toBe(0);
  expect(register.list()).toEqual([
    {
      ...collector('a'),
      explains: 'unsupported',
      isConnected: false,
      sinceUnixNano: clock.nowUnixNano(),
      lastSeenUnixNano: seen,
      acceptedBytes: 100,
      report: report(),
    },
  ]);
});

test('a newer call replaces an older one, whose end and reports have no effect then', () => {
  const register = new CollectorRegister(new FakeClock());
  const older = register.connect(collector('a'));
  register.accepted('a', 100);
  const newer = register.connect({ ...collector('a'), address: '10.0.0.2:2' });
  newer.report(report('', 1n));
  older.report(report('', 2n));
  older.ended();
  expect(register.connected).toBe(1);
  expect(register.list()).toMatchObject([
    { address: '10.0.0.2:2', isConnected: true, acceptedBytes: 100, report: { lagBytes: 1n } },
  ]);
  newer.ended();
  expect(register.connected).toBe(0);
});

test('the report of an earlier process is forgotten', () => {
  const register = new CollectorRegister(new FakeClock());
  register.connect(collector('a')).report(report());
  register.connect(collector('a'));
  expect(register.list()[0]?.report).toBeUndefined();
});

test('connected collectors are listed first, and each group by host', () => {
  const register = new CollectorRegister(new FakeClock());
  register.connect(collector('1', 'c')).ended();
  for (const host of ['b', 'a']) register.connect(collector(host, host));
  expect(register.list().map(({ host }) => host)).toEqual(['a', 'b', 'c']);
});

test('the oldest disconnected collector is removed when there are too many, a connected one never', () => {
  const register = new CollectorRegister(new FakeClock(), { collectors: 3, reportBytes: 1000 });
  register.connect(collector('connected'));
  for (const id of ['one', 'two', 'three']) register.connect(collector(id)).ended();
  expect(
    register
      .list()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['connected', 'three', 'two']);
  for (const id of ['four', 'five', 'six', 'seven']) register.connect(collector(id));
  expect(register.list().filter(({ isConnected }) => isConnected)).toHaveLength(5);
});

test('the oldest reports are removed when they are too large together, and a too large one is ignored', () => {
  const size = StatusReport.encode(report('x'.repeat(200))).finish().length;
  const register = new CollectorRegister(new FakeClock(), { collectors: 10, reportBytes: 2 * size });
  const connections = ['a', 'b', 'c'].map((id) => register.connect(collector(id, id)));
  for (const connection of connections) connection.report(report('x'.repeat(200)));
  const withReport = () => register.list().flatMap(({ id, report: of }) => (of === undefined ? [] : [id]));
  expect(withReport()).toEqual(['b', 'c']);
  connections[1]?.report(report('x'.repeat(200), 8n));
  connections[0]?.report(report('x'.repeat(200)));
  expect(withReport()).toEqual(['a', 'b']);
  connections[1]?.report(report('x'.repeat(MAX_REPORT_BYTES), 9n));
  expect(register.list()[1]?.report?.lagBytes).toBe(8n);
});

test('long texts are shortened', () => {
  const register = new CollectorRegister(new FakeClock());
  register.connect({ ...collector('a'), host: 'h'.repeat(5000), software: 's'.repeat(5000) });
  expect(register.list()).toMatchObject([{ host: 'h'.repeat(255), software: 's'.repeat(255) }]);
});
