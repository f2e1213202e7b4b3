import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseOtlpConfiguration } from '../../../src/emitters/otlp/configuration.ts';
import { OtlpEmitter } from '../../../src/emitters/otlp/otlp-emitter.ts';
import { forEachLogRecord } from '../../../src/formats/record-view.ts';
import { encodeStatus } from '../../../src/protocols/otlp/retry-info.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { ExportLogsServiceResponse } from '../../../src/records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { openedOtlpSource, PATIENT } from '../../support/opened-otlp-source.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';

import { lines, recordBatch } from '../../support/record-batches.ts';

const never = new AbortController().signal;

async function started(settings: Record<string, unknown>) {
  const [configured] = parseOtlpConfiguration(JSON.stringify(settings));
  if (configured === undefined) throw new Error('nothing configured');
  const { logger, lines: logged } = capturedLogger();
  const environment = { ...emitterEnvironment({ name: 'otlp', clock: systemClock }), logger };
  const emitter = new OtlpEmitter(configured.configuration, environment);
  onTestFinished(() => emitter.stop());
  await emitter.start();
  const counter = async (name: string) =>
    (await environment.metrics.getSingleMetric(`aggregator_emitter_otlp_${name}_total`)?.get())?.values[0]
      ?.value ?? 0;
  return { emitter, counter, logged };
}

async function receiving(settings: Record<string, unknown> = {}) {
  const receiver = await OtlpReceiver.start();
  return { receiver, ...(await started({ endpoint: `http://127.0.0.1:${receiver.port}`, ...settings })) };
}

describe('a request', () => {
  test('has the headers, gzip, and an id of each record', async () => {
    const { receiver, emitter } = await receiving({ headers: { Authorization: 'Bearer secret' } });
    const batch = recordBatch(lines(2));
    await emitter.emit(batchOf([batch]), never);
    expect(receiver.accepted[0]).toMatchObject({
      path: '/v1/logs',
      headers: {
        authorization: 'Bearer secret',
        'content-encoding': 'gzip',
        'content-type': 'application/x-protobuf',
      },
    });
    const uids = receiver.records.map(
      ({ attributes }) => attributes.find(({ key }) => key === 'log.record.uid')?.value?.value?.value,
    );
    const second = batch.start + (batch.sizes[0] ?? 0);
    expect(uids).toEqual([`${batch.stream}-${batch.start}`, `${batch.stream}-${second}`]);
  });

  test('has at most the configured number of records', async () => {
    const { receiver, emitter } = await receiving({ batch_records: 30 });
    await emitter.emit(batchOf([recordBatch(lines(100))]), never);
    expect(receiver.accepted).toHaveLength(4);
    expect(receiver.bodies).toEqual(lines(100).map((line) => line.trimEnd()));
  });
});

describe('a failed request', () => {
  test.each([429, 502, 503, 504])(
    'with the status %i is retried after the requested time',
    async (status) => {
      const { receiver, emitter } = await receiving();
      receiver.answer = () => ({ status, headers: { 'retry-after': '7' } });
      const outcome = await emitter.emit(batchOf([recordBatch(lines(1))]), never);
      expect(outcome).toMatchObject({ kind: 'retry', afterMs: 7000 });
    },
  );

  test('with the status 400 is rejected, without a secret in the reason', async () => {
    const { receiver, emitter } = await receiving({ headers: { Authorization: 'Bearer hunter2' } });
    receiver.answer = () => ({ status: 400, body: encodeStatus({ code: 3, message: 'bad hunter2' }) });
    const outcome = await emitter.emit(batchOf([recordBatch(lines(1))]), never);
    expect(outcome).toEqual({
      kind: 'rejected',
      reason: `http://127.0.0.1:${receiver.port} answered 400: bad ***`,
    });
  });

  test('does not repeat the records of the requests before it', async () => {
    const { receiver, emitter } = await receiving({ batch_records: 10 });
    receiver.answer = () => (receiver.accepted.length === 2 ? { status: 503 } : {});
    const batch = batchOf([recordBatch(lines(50))]);
    expect((await emitter.emit(batch, never)).kind).toBe('retry');
    receiver.answer = () => ({});
    expect(await emitter.emit(batch, never)).toEqual({ kind: 'delivered' });
    expect(receiver.bodies).toEqual(lines(50).map((line) => line.trimEnd()));
  });

  test('over gRPC is retried after the delay of RetryInfo', async () => {
    const source = await openedOtlpSource([{ listen: 'grpc://127.0.0.1:0' }], {
      shortage: () => 'the disk is full',
    });
    const { emitter } = await started({ endpoint: `http://${source.address()}`, protocol: 'grpc' });
    const outcome = await emitter.emit(batchOf([recordBatch(lines(1))]), never);
    expect(outcome).toMatchObject({ kind: 'retry', afterMs: 1000 });
  });
});

test('a partial success is counted and logged, and not sent again', async () => {
  const { receiver, emitter, counter, logged } = await receiving();
  const partialSuccess = { rejectedLogRecords: 2n, errorMessage: 'too old' };
  receiver.answer = () => ({ body: ExportLogsServiceResponse.encode({ partialSuccess }).finish() });
  expect(await emitter.emit(batchOf([recordBatch(lines(5))]), never)).toEqual({ kind: 'delivered' });
  expect(receiver.requests).toHaveLength(1);
  expect(await counter('records')).toBe(3);
  expect(await counter('partially_rejected_records')).toBe(2);
  expect(logged).toContainEqual(expect.objectContaining({ level: 50, records: 2, reason: 'too old' }));
});

describe('from one of these programs to the next, each record arrives once with equal attributes', () => {
  test.each(['http/protobuf', 'http/json', 'grpc'])('over %s', async (protocol) => {
    const first = await openedOtlpSource([{ listen: 'http://127.0.0.1:0' }]);
    const second = await openedOtlpSource([
      { listen: `${protocol === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:0` },
    ]);
    const { emitter } = await started({ endpoint: `http://${second.address()}`, protocol, batch_records: 7 });
    await send(first.address());
    await vi.waitFor(() => expect(first.records()).toHaveLength(20), PATIENT);
    const slices: RecordBatch[] = [...first.taken.batches];
    expect(await emitter.emit(batchOf(slices), never)).toEqual({ kind: 'delivered' });
    await vi.waitFor(() => expect(second.records()).toHaveLength(20), PATIENT);
    expect(comparable(second.taken.batches)).toEqual(comparable(slices));
  });
});

/** Without what the way adds: the id of the record, and the host of the first collector. */
function comparable(batches: readonly RecordBatch[]) {
  const all: object[] = [];
  for (const batch of batches)
    forEachLogRecord(batch, ({ timeUnixNano, severityNumber, severityText, body, attributes }) => {
      const { 'log.record.uid': _, 'host.name': host, ...rest } = Object.fromEntries(attributes);
      all.push({ timeUnixNano, severityNumber, severityText, body, rest, isHost: host ?? 'collector' });
    });
  return all;
}

async function send(address: string): Promise<void> {
  const logRecords = Array.from({ length: 20 }, (_, index) => ({
    timeUnixNano: String(1_700_000_000_000_000_000n + BigInt(index)),
    observedTimeUnixNano: '1700000001000000000',
    severityNumber: 9,
    severityText: 'Info',
    body: { stringValue: `record ${index}` },
    attributes: [
      { key: 'number', value: { intValue: String(index) } },
      { key: 'ratio', value: { doubleValue: 0.25 } },
      { key: 'flag', value: { boolValue: true } },
      { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }] } } },
      { key: 'map', value: { kvlistValue: { values: [{ key: 'k', value: { stringValue: 'v' } }] } } },
    ],
    flags: 1,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    eventName: 'tried',
  }));
  const scope = { name: 'scope', version: '1', attributes: [{ key: 's', value: { intValue: '2' } }] };
  const resource = { attributes: [{ key: 'process.pid', value: { intValue: '42' } }] };
  const body = { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords }] }] };
  const response = await fetch(`http://${address}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
}
