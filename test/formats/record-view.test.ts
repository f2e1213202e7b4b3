import { expect, test } from 'vitest';
import { forEachLogRecord, recordView } from '../../src/formats/record-view.ts';
import { formatNamed, formats } from '../../src/formats/registry.ts';
import type { LogRecord } from '../../src/records/log-record.ts';
import { sliceRecords } from '../../src/records/record-batch.ts';
import { recordBatch } from '../support/record-batches.ts';

const batch = recordBatch(['one\n', '{"msg":"two","a":1}\n', 'three'], {
  format: 'json',
  start: 1000,
  marks: [{ index: 2, mark: 'unterminated' }],
});

test('a record in full', () => {
  expect(recordView(batch, 1)).toEqual({
    body: 'two',
    attributes: new Map([['a', 1]]),
    observedTimeUnixNano: batch.observedTimeUnixNano,
    resource: batch.resource,
    format: 'json',
    stream: batch.stream,
    position: 1004,
  });
});

test('marks an incomplete record', () => {
  expect(recordView(batch, 2).attributes.get('megacollector.record_mark')).toBe('unterminated');
  expect(recordView(batch, 1).attributes.has('megacollector.record_mark')).toBe(false);
});

test('iterates over the same records of a batch, also of a slice', () => {
  for (const slice of [batch, sliceRecords(batch, 1, 3), sliceRecords(batch, 2, 3)]) {
    const seen: LogRecord[] = [];
    forEachLogRecord(slice, (record) => seen.push(record));
    expect(seen).toEqual(Array.from(slice.sizes, (_, index) => recordView(slice, index)));
  }
});

test('uses the time of reading when the resource requires it', () => {
  const lines = ['{"ts":1600000000,"msg":"a"}\n', '{"msg":"b"}\n'];
  const resource = new Map([['megacollector.time', 'observed']]);
  const observed = recordBatch(lines, { format: 'json', resource, marks: [{ index: 1, mark: 'cut' }] });
  const own = { ...observed, resource: new Map([['megacollector.time', 'own']]) };
  const times: (bigint | undefined)[] = [];
  forEachLogRecord(observed, ({ timeUnixNano }) => times.push(timeUnixNano));
  expect(times).toEqual([observed.observedTimeUnixNano, observed.observedTimeUnixNano]);
  expect(recordView(observed, 0).timeUnixNano).toBe(observed.observedTimeUnixNano);
  expect(recordView(own, 0).timeUnixNano).toBe(1_600_000_000_000_000_000n);
});

test('reads an unknown format as plain', () => {
  expect(formatNamed('from-the-future').name).toBe('plain');
  expect(formatNamed('__proto__').name).toBe('plain');
  for (const format of formats) expect(formatNamed(format.name)).toBe(format);
});

test('keeps the attributes of the connection, and sets those of the record with their names aside', () => {
  const lines = ['{"network.peer.address":"192.0.2.9","tls.client.subject":"CN=root","a":1}\n'];
  const peers = [
    new Map([
      ['network.transport', 'tcp'],
      ['network.peer.address', '10.0.0.1'],
    ]),
  ];
  const sent = recordBatch(lines, { format: 'json' });
  expect(recordView(sent, 0).attributes.get('network.peer.address')).toBe('192.0.2.9');
  expect(recordView({ ...sent, peers, recordPeers: Uint32Array.of(1) }, 0).attributes).toEqual(
    new Map<string, unknown>([
      ['a', 1],
      ['network.transport', 'tcp'],
      ['network.peer.address', '10.0.0.1'],
      ['megacollector.record.network.peer.address', '192.0.2.9'],
      ['megacollector.record.tls.client.subject', 'CN=root'],
    ]),
  );
});

test('keeps the network attributes of a record whose peer is a broker', () => {
  const lines = ['{"network.peer.address":"192.0.2.9"}\n'];
  const peers = [new Map([['messaging.system', 'rabbitmq']])];
  const sent = { ...recordBatch(lines, { format: 'json' }), peers, recordPeers: Uint32Array.of(1) };
  expect(recordView(sent, 0).attributes.get('network.peer.address')).toBe('192.0.2.9');
});

test('adds the attributes of the peer, and those of the record win', () => {
  const peers = [
    new Map([
      ['network.peer.address', '10.0.0.1'],
      ['a', 'peer'],
    ]),
  ];
  const sent = { ...batch, peers, recordPeers: Uint32Array.of(0, 1, 1) };
  expect(recordView(sent, 0).attributes.has('network.peer.address')).toBe(false);
  expect(recordView(sent, 1).attributes).toEqual(
    new Map<string, unknown>([
      ['a', 1],
      ['network.peer.address', '10.0.0.1'],
    ]),
  );
  expect(recordView(sent, 2).attributes.get('a')).toBe('peer');
  const seen: LogRecord[] = [];
  forEachLogRecord(sliceRecords(sent, 1, 3), (record) => seen.push(record));
  expect(seen.map(({ attributes }) => attributes)).toEqual([1, 2].map((i) => recordView(sent, i).attributes));
});
