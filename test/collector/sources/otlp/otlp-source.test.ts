import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { retryDelayMs, STATUS_DETAILS, statusMessage } from '../../../../src/protocols/otlp/retry-info.ts';
import {
  ExportLogsServiceRequest,
  ExportLogsServiceResponse,
  LogsServiceService,
} from '../../../../src/records/gen/opentelemetry/proto/collector/logs/v1/logs_service.ts';
import { LIMITS } from '../../../../src/records/limits.ts';
import { CertificateAuthority } from '../../../support/certificate-authority.ts';
import { openedOtlpSource, PATIENT } from '../../../support/opened-otlp-source.ts';
import { logRecordOf, logsRequest } from '../../../support/otlp-requests.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const HTTP = [{ listen: 'http://127.0.0.1:0' }];
const GRPC = [{ listen: 'grpc://127.0.0.1:0' }];
const PROTOBUF = 'application/x-protobuf';

interface Posted {
  readonly type?: string;
  readonly encoding?: string;
  readonly path?: string;
  readonly method?: string;
}

async function post(
  address: string,
  body: string | Buffer<ArrayBuffer>,
  { type = PROTOBUF, encoding, path = '/v1/logs', method = 'POST' }: Posted = {},
) {
  const response = await fetch(`http://${address}${path}`, {
    method,
    headers: { 'content-type': type, ...(encoding !== undefined && { 'content-encoding': encoding }) },
    ...(method === 'POST' && { body }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes };
}

/** Calls Export with these bytes, as they are. */
async function call(address: string, bytes: Buffer): Promise<ExportLogsServiceResponse | ServiceError> {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
  });
  onTestFinished(() => client.close());
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      LogsServiceService.export.path,
      (raw: Buffer) => raw,
      LogsServiceService.export.responseDeserialize,
      bytes,
      (error, response) => resolve(error ?? (response as ExportLogsServiceResponse)),
    );
  });
}

const bodies = ({ records }: { records: () => readonly { readonly body: string }[] }) =>
  records().map(({ body }) => body);

describe('the source otlp', () => {
  test('answers a request over HTTP when its records are on disk', async () => {
    const source = await openedOtlpSource(HTTP);
    source.sink.accepting = false;
    const answer = await post(source.address(), logsRequest(['one', 'two']));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(PROTOBUF);
    expect(ExportLogsServiceResponse.decode(answer.bytes)).toEqual({ partialSuccess: undefined });
    const [stream] = source.source.status().streams;
    expect(stream?.waitingBytes).toBeGreaterThan(0);
    await vi.waitFor(() => expect(bodies(source)).toEqual(['one', 'two']), PATIENT);
    expect(source.taken.batches[0]?.resource).toEqual(new Map([['host.name', 'collector']]));
  });

  test('reads JSON, with ids in hexadecimal digits and typed values', async () => {
    const source = await openedOtlpSource(HTTP);
    const record = {
      timeUnixNano: '1700000000123456789',
      severityNumber: 17,
      severityText: 'Error',
      body: { stringValue: 'paid' },
      attributes: [
        { key: 'count', value: { intValue: '7' } },
        { key: 'ratio', value: { doubleValue: 0.5 } },
        { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'a' }] } } },
      ],
      traceId: '0AF7651916CD43DD8448EB211C80319C',
      spanId: 'b7ad6b7169203331',
      unknownField: 1,
    };
    const resource = { attributes: [{ key: 'process.pid', value: { intValue: 42 } }] };
    const body = {
      resourceLogs: [{ resource, scopeLogs: [{ scope: { name: 'pay' }, logRecords: [record] }] }],
    };
    const answer = await post(source.address(), JSON.stringify(body), { type: 'application/json' });
    expect([answer.status, answer.bytes.toString()]).toEqual([200, '{}']);
    await vi.waitFor(() => expect(source.records()).toHaveLength(1), PATIENT);
    expect(source.records()[0]).toMatchObject({
      timeUnixNano: 1_700_000_000_123_456_789n,
      severityNumber: 17,
      severityText: 'Error',
      body: 'paid',
      format: 'otlp',
      attributes: new Map<string, unknown>([
        ['count', 7],
        ['ratio', 0.5],
        ['tags', ['a']],
        ['trace_id', '0af7651916cd43dd8448eb211c80319c'],
        ['span_id', 'b7ad6b7169203331'],
        ['otel.scope.name', 'pay'],
        ['process.pid', 42],
      ]),
    });
  });

  test('inflates gzip', async () => {
    const source = await openedOtlpSource(HTTP);
    const answer = await post(source.address(), Buffer.from(gzipSync(logsRequest(['small']))), {
      encoding: 'gzip',
    });
    expect(answer.status).toBe(200);
    await vi.waitFor(() => expect(bodies(source)).toEqual(['small']), PATIENT);
  });

  test('receives requests over gRPC', async () => {
    const source = await openedOtlpSource(GRPC);
    expect(await call(source.address(), logsRequest(['one', 'two']))).toEqual({ partialSuccess: undefined });
    await vi.waitFor(() => expect(bodies(source)).toEqual(['one', 'two']), PATIENT);
  });

  test('keeps a log record without a field', async () => {
    const source = await openedOtlpSource(HTTP);
    await post(source.address(), Buffer.from([0x0a, 4, 0x12, 2, 0x12, 0]));
    await vi.waitFor(() => expect(bodies(source)).toEqual(['']), PATIENT);
  });

  test('keeps a resource that is too large for an attribute of the sender', async () => {
    const source = await openedOtlpSource(HTTP);
    const value = { $case: 'stringValue' as const, value: 'x'.repeat(100_000) };
    const resource = {
      attributes: [{ key: 'process.command_line', value: { value } }],
      droppedAttributesCount: 0,
    };
    const scopeLogs = [{ scope: undefined, logRecords: [logRecordOf('a'), logRecordOf('b')], schemaUrl: '' }];
    const request = { resourceLogs: [{ resource, scopeLogs, schemaUrl: '' }] };
    const answer = await post(
      source.address(),
      Buffer.from(ExportLogsServiceRequest.encode(request).finish()),
    );
    expect(answer.status).toBe(200);
    await vi.waitFor(() => expect(bodies(source)).toEqual(['a', 'b']), PATIENT);
    expect(source.records()[1]?.attributes.get('process.command_line')).toBe(value.value);
  });
});

describe('without room', () => {
  const FULL = { shortage: () => 'the disk is full' };

  test('HTTP answers 503 with Retry-After, and keeps nothing', async () => {
    const source = await openedOtlpSource(HTTP, FULL);
    const answer = await post(source.address(), logsRequest(['one']));
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(statusMessage(answer.bytes)).toContain('Retry the request');
    expect(await source.metrics.metrics()).toContain('outcome="full"} 1');
  });

  test('gRPC answers RESOURCE_EXHAUSTED with RetryInfo', async () => {
    const source = await openedOtlpSource(GRPC, FULL);
    const error = (await call(source.address(), logsRequest(['one']))) as ServiceError;
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    const [details] = (error.metadata ?? new Metadata()).get(STATUS_DETAILS);
    expect(retryDelayMs(details as Buffer)).toBe(1000);
  });

  test('a request is accepted after there is room again', async () => {
    let shortage: string | undefined = 'the disk is full';
    const source = await openedOtlpSource(HTTP, { shortage: () => shortage });
    expect((await post(source.address(), logsRequest(['one']))).status).toBe(503);
    shortage = undefined;
    expect((await post(source.address(), logsRequest(['one']))).status).toBe(200);
    await vi.waitFor(() => expect(bodies(source)).toEqual(['one']), PATIENT);
  });
});

test('a record that is too large is rejected alone, with a partial success', async () => {
  const source = await openedOtlpSource(HTTP);
  const answer = await post(source.address(), logsRequest(['one', 'x'.repeat(LIMITS.recordBytes), 'two']));
  expect(answer.status).toBe(200);
  const { partialSuccess } = ExportLogsServiceResponse.decode(answer.bytes);
  expect(partialSuccess?.rejectedLogRecords).toBe(1n);
  expect(partialSuccess?.errorMessage).toContain('at most 1048576 bytes');
  await vi.waitFor(() => expect(bodies(source)).toEqual(['one', 'two']), PATIENT);
});

describe('a hostile body', () => {
  const valid = logsRequest(['one', 'two']);
  const hostile: readonly (readonly [string, Buffer<ArrayBuffer>])[] = [
    ['truncated', valid.subarray(0, valid.length - 2)],
    ['with a length of 4 GiB', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['with a field of a wrong type', Buffer.from([0x08, 1])],
    ['with a record longer than its scope', Buffer.from([0x0a, 4, 0x12, 2, 0x12, 50])],
    ['with a damaged record', Buffer.from([0x0a, 6, 0x12, 4, 0x12, 2, 0x2a, 90])],
    ['of random text', Buffer.from('GET / HTTP/1.1\r\n')],
    ['of deeply nested lists', nestedBody(5000)],
  ];

  test.each(hostile)('%s is rejected over HTTP, and the source still works', async (_, body) => {
    const source = await openedOtlpSource(HTTP);
    const answer = await post(source.address(), body);
    expect(answer.status).toBe(400);
    expect(statusMessage(answer.bytes)).toMatch(/\.$/);
    expect((await post(source.address(), valid)).status).toBe(200);
    await vi.waitFor(() => expect(bodies(source)).toEqual(['one', 'two']), PATIENT);
  });

  test.each(hostile)('%s is rejected over gRPC, and the source still works', async (_, body) => {
    const source = await openedOtlpSource(GRPC);
    const error = (await call(source.address(), body)) as ServiceError;
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(await call(source.address(), valid)).toEqual({ partialSuccess: undefined });
  });

  test.each([
    ['no JSON', '{"resourceLogs"'],
    ['a list', '[]'],
    ['a text for a list', '{"resourceLogs":"x"}'],
    ['a wrong id', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"xyz"}]}]}]}'],
    ['a time below zero', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"-1"}]}]}]}'],
    [
      'deep nesting',
      `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${'{"arrayValue":{"values":['.repeat(20_000)}${']}}'.repeat(20_000)}}]}]}]}`,
    ],
  ])('in JSON with %s is rejected', async (_, body) => {
    const source = await openedOtlpSource(HTTP);
    const answer = await post(source.address(), body, { type: 'application/json' });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.bytes.toString())).toEqual({ message: expect.stringMatching(/\.$/) });
    expect(source.records()).toEqual([]);
  });

  test('that inflates to more than the limit is rejected', async () => {
    const bomb = Buffer.from(gzipSync(Buffer.alloc(50 * 1024 * 1024)));
    expect(bomb.length).toBeLessThan(100_000);
    const source = await openedOtlpSource(HTTP);
    const answer = await post(source.address(), bomb, { encoding: 'gzip' });
    expect(answer.status).toBe(413);
    expect((await post(source.address(), valid)).status).toBe(200);
  });

  test('that is no gzip, or has another encoding, type, path or method is rejected', async () => {
    const source = await openedOtlpSource(HTTP);
    const statusOf = async (options: Posted) => (await post(source.address(), valid, options)).status;
    expect(await statusOf({ encoding: 'gzip' })).toBe(400);
    expect(await statusOf({ encoding: 'br' })).toBe(415);
    expect(await statusOf({ type: 'text/plain' })).toBe(415);
    expect(await statusOf({ path: '/v1/traces' })).toBe(404);
    expect(await statusOf({ method: 'GET' })).toBe(405);
  });

  test('that is larger than the limit is rejected', async () => {
    const listeners = [
      { listen: 'http://127.0.0.1:0', max_request: '64KiB' },
      { listen: 'grpc://127.0.0.1:0', max_request: '64KiB' },
    ];
    const source = await openedOtlpSource(listeners);
    const large = logsRequest(['x'.repeat(70_000)]);
    expect((await post(source.address(0), large)).status).toBe(413);
    const error = (await call(source.address(1), large)) as ServiceError;
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((error.metadata ?? new Metadata()).get(STATUS_DETAILS)).toEqual([]);
  });

  test('with a large resource for many records does not become many times as large', async () => {
    const source = await openedOtlpSource(HTTP);
    const value = { $case: 'stringValue' as const, value: 'x'.repeat(500_000) };
    const resource = { attributes: [{ key: 'a', value: { value } }], droppedAttributesCount: 0 };
    const logRecords = Array.from({ length: 1000 }, () => logRecordOf('a'));
    const request = {
      resourceLogs: [
        { resource, scopeLogs: [{ scope: undefined, logRecords, schemaUrl: '' }], schemaUrl: '' },
      ],
    };
    const answer = await post(
      source.address(),
      Buffer.from(ExportLogsServiceRequest.encode(request).finish()),
    );
    expect(answer.status).toBe(400);
    expect(statusMessage(answer.bytes)).toContain('Send fewer log records');
  });
});

describe('TLS', () => {
  async function certificates() {
    const authority = await CertificateAuthority.create();
    const directory = await temporaryDirectory();
    const material = await authority.issue({ name: 'collector' });
    const file = async (name: string, text: string) => {
      await writeFile(join(directory, name), text);
      return join(directory, name);
    };
    const keys = {
      certificate_file: await file('own.pem', material.certificate),
      key_file: await file('own.key', material.key),
      ca_file: await file('ca.pem', material.caCertificate),
    };
    return { material, keys };
  }

  test('HTTP requires a certificate of the client when there is an authority', async () => {
    const { material, keys } = await certificates();
    const source = await openedOtlpSource([{ listen: 'https://127.0.0.1:0', ...keys }]);
    const [host, port] = source.address().split(':');
    const send = async (own: object) => {
      const request = httpsRequest({
        ...{ host, port, path: '/v1/logs', method: 'POST', ca: material.caCertificate },
        ...{ headers: { 'content-type': PROTOBUF }, ...own },
      });
      request.end(logsRequest(['secret']));
      const [response] = await once(request, 'response');
      response.resume();
      return response.statusCode as number;
    };
    await expect(send({})).rejects.toThrow();
    expect(await send({ cert: material.certificate, key: material.key })).toBe(200);
    await vi.waitFor(() => expect(bodies(source)).toEqual(['secret']), PATIENT);
  });

  test('gRPC uses the certificate', async () => {
    const { material, keys } = await certificates();
    const { ca_file: _, ...server } = keys;
    const source = await openedOtlpSource([{ listen: 'grpcs://127.0.0.1:0', ...server }]);
    const client = new Client(source.address(), credentials.createSsl(Buffer.from(material.caCertificate)));
    onTestFinished(() => client.close());
    const error = await new Promise((resolve) => {
      client.makeUnaryRequest(
        LogsServiceService.export.path,
        (raw: Buffer) => raw,
        (raw: Buffer) => raw,
        logsRequest(['secret']),
        resolve,
      );
    });
    expect(error).toBeNull();
    await vi.waitFor(() => expect(bodies(source)).toEqual(['secret']), PATIENT);
  });
});

test('stores each request of many at once, and accepts no more after a stop', async () => {
  const source = await openedOtlpSource([...HTTP, ...GRPC]);
  expect(source.source.status().listeners).toMatchObject([
    { listener: 'http://127.0.0.1:0', state: 'listening' },
    { listener: 'grpc://127.0.0.1:0', state: 'listening' },
  ]);
  const answers = Array.from({ length: 20 }, (_, index) =>
    post(source.address(0), logsRequest([`${index}`])),
  );
  await Promise.all(answers);
  await vi.waitFor(() => expect(source.records()).toHaveLength(20), PATIENT);
  await source.close();
  await expect(post(source.address(0), logsRequest(['late']))).rejects.toThrow();
  expect(
    source
      .records()
      .map(({ body }) => Number(body))
      .toSorted((a, b) => a - b),
  ).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

/** A log record whose body is a list in a list, and so on. */
function nestedBody(depth: number): Buffer<ArrayBuffer> {
  let value = Buffer.alloc(0);
  const wrapped = (tag: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from([tag]), varint(bytes.length), bytes]);
  for (let level = 0; level < depth; level++) value = Buffer.from(wrapped(0x2a, wrapped(0x0a, value)));
  return Buffer.from(wrapped(0x0a, wrapped(0x12, wrapped(0x12, wrapped(0x2a, value)))));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}
