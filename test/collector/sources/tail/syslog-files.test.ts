import { expect, it } from 'vitest';
import { localZone } from '../../../../src/collector/sources/tail/local-zone.ts';
import { forEachLogRecord } from '../../../../src/formats/record-view.ts';
import type { LogRecord } from '../../../../src/records/log-record.ts';
import { Tailing } from './tailing.ts';

const SYSLOG = '2024-11-28T10:00:00.123456+00:00 web1 sshd[4242]: Accepted publickey\n';

function recordsOf(tail: Tailing): readonly LogRecord[] {
  const records: LogRecord[] = [];
  for (const batch of tail.taken.batches) forEachLogRecord(batch, (record) => void records.push(record));
  return records;
}

it('reads a file of rsyslog with time, host, program and process, and other files as plain', async () => {
  const tail = await Tailing.start();
  await tail.append('auth.log', SYSLOG);
  await tail.append('app.log', 'a line\n');
  await tail.turn();
  const records = recordsOf(tail);
  const ofRsyslog = records.find(({ format }) => format === 'syslog');
  expect(ofRsyslog?.body).toBe('Accepted publickey');
  expect(ofRsyslog?.timeUnixNano).toBe(1_732_788_000_123_456_000n);
  expect(Object.fromEntries(ofRsyslog?.attributes ?? [])).toEqual({
    'host.name': 'web1',
    'service.name': 'sshd',
    'process.pid': 4242,
  });
  expect(records.map(({ format }) => format).toSorted()).toEqual(['plain', 'syslog']);
  expect(tail.taken.text(tail.path('auth.log'))).toBe(SYSLOG);
});

it('continues with the decided format after a restart', async () => {
  const tail = await Tailing.start();
  await tail.append('auth.log', SYSLOG);
  await tail.append('app.log', 'a line\n');
  await tail.turn();
  await tail.stop();
  await tail.append('auth.log', 'a line\n');
  await tail.append('app.log', SYSLOG);
  await tail.start();
  await tail.turn();
  expect(tail.taken.batches.map(({ format }) => format).toSorted()).toEqual([
    'plain',
    'plain',
    'syslog',
    'syslog',
  ]);
});

it('continues with the decided format after a crash before the first acceptance was stored', async () => {
  const tail = await Tailing.start();
  await tail.append('auth.log', SYSLOG);
  await tail.turn();
  await tail.kill();
  await tail.append('auth.log', 'a line\n');
  await tail.start();
  await tail.turn();
  expect(tail.taken.text(tail.path('auth.log'))).toBe(`${SYSLOG}a line\n`);
  expect(tail.taken.batches.map(({ format }) => format)).toEqual(['syslog', 'syslog']);
});

it('stores the format before the first batch if the first record was incomplete at the start', async () => {
  const tail = await Tailing.start();
  await tail.append('auth.log', SYSLOG.slice(0, 40));
  await tail.turn();
  await tail.append('auth.log', SYSLOG.slice(40));
  await tail.turn();
  expect(tail.taken.text()).toBe(SYSLOG);
  await tail.kill();
  await tail.append('auth.log', 'a line\n');
  await tail.start();
  await tail.turn();
  expect(tail.taken.batches.map(({ format }) => format)).toEqual(['syslog', 'syslog']);
});

it('sends no record of an undecided file while the decision cannot be stored', async () => {
  const tail = await Tailing.start();
  await tail.append('auth.log', SYSLOG.slice(0, 40));
  await tail.turn();
  tail.diskIsFull(true);
  await tail.append('auth.log', SYSLOG.slice(40));
  await tail.turn();
  expect(tail.taken.batches).toEqual([]);
  tail.diskIsFull(false);
  await tail.pass(3_000);
  expect(tail.taken.text()).toBe(SYSLOG);
});

it('knows the zone of the machine only for formats with local times', () => {
  for (const format of ['plain', 'json', 'combined']) expect([...localZone(format)]).toEqual([]);
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const expected = timeZone === 'UTC' ? [] : [['megacollector.timezone', timeZone]];
  for (const format of ['syslog', 'nginx-error', 'apache-error'])
    expect([...localZone(format)]).toEqual(expected);
});
