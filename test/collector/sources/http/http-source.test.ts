import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { httpSourceType } from '../../../../src/collector/sources/http/type.ts';
import { LIMITS } from '../../../../src/records/limits.ts';
import { parseVariables } from '../../../../src/runtime/configuration/configuration.ts';
import { CertificateAuthority } from '../../../support/certificate-authority.ts';
import { openedHttpSource, PATIENT } from '../../../support/opened-http-source.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const HTTP = [{ listen: 'http://127.0.0.1:0' }];

type Opened = Awaited<ReturnType<typeof openedHttpSource>>;

interface Posted {
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

async function post(
  source: Opened,
  path: string,
  body: string | Buffer<ArrayBuffer>,
  { type = 'text/plain', headers = {}, method = 'POST' }: Posted = {},
) {
  const response = await fetch(`http://${source.address()}${path}`, {
    method,
    headers: { 'content-type': type, ...headers },
    ...(method === 'GET' || method === 'HEAD' ? {} : { body }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function recordsOf(source: Opened, count: number) {
  await vi.waitFor(() => expect(source.records()).toHaveLength(count), PATIENT);
  return source.records();
}

const rawTexts = ({ taken }: Opened) => Buffer.concat(taken.batches.map(({ data }) => data)).toString();

describe('lines', () => {
  test('are answered when they are on disk, and are the bytes of the records', async () => {
    const source = await openedHttpSource(HTTP);
    source.sink.accepting = false;
    const answer = await post(
      source,
      '/v1/push?service.name=shop',
      'one\n\n{"msg":"two", "level":"error"}\r\nthree',
    );
    expect([answer.status, answer.text]).toEqual([200, '{"records":3}']);
    expect(source.source.status().streams[0]?.waitingBytes).toBeGreaterThan(0);
    const records = await recordsOf(source, 3);
    expect(records.map(({ body }) => body)).toEqual(['one', 'two', 'three']);
    expect(records[1]).toMatchObject({ severityNumber: 17, format: 'http' });
    expect(records[0]?.attributes).toEqual(
      new Map([
        ['network.peer.address', '127.0.0.1'],
        ['service.name', 'shop'],
      ]),
    );
    expect(rawTexts(source)).toBe('one\n{"msg":"two", "level":"error"}\r\nthree\n');
  });

  test.each([
    ['an array', '[{"a" : 1.0},\n {"a":2}]', '{"a" : 1.0}\n{"a":2}\n'],
    ['objects without lines', '{"a":1}{"a":2}', '{"a":1}\n{"a":2}\n'],
    ['one object on several lines', '{"a":\n1}', '{"a":\n1}\n'],
    ['lines that are not JSON', 'a b\nc', 'a b\nc\n'],
  ])('of JSON: %s keeps its bytes', async (_, body, bytes) => {
    const source = await openedHttpSource(HTTP);
    expect((await post(source, '/', body, { type: 'application/json' })).status).toBe(200);
    await vi.waitFor(() => expect(rawTexts(source)).toBe(bytes), PATIENT);
  });

  test('are inflated', async () => {
    const source = await openedHttpSource(HTTP);
    const send = (encoding: string, body: Buffer<ArrayBuffer>) =>
      post(source, '/v1/push', body, { headers: { 'content-encoding': encoding } });
    const answers = [
      await send('gzip', Buffer.from(gzipSync('gzip'))),
      await send('deflate', Buffer.from(deflateSync('deflate'))),
      await send('deflate', Buffer.from(deflateRawSync('raw'))),
      await send('snappy', Buffer.from([6, 0x14, ...Buffer.from('snappy')])),
      await send('zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0x21, 0, 0, ...Buffer.from('zstd')])),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const records = await recordsOf(source, 5);
    expect(records.map(({ body }) => body)).toEqual(['gzip', 'deflate', 'raw', 'snappy', 'zstd']);
  });

  test('above the size of a record are cut and marked', async () => {
    const source = await openedHttpSource(HTTP);
    const long = 'é'.repeat(LIMITS.recordBytes);
    expect((await post(source, '/v1/push', `${long}\nshort`)).status).toBe(200);
    const [cut, short] = await recordsOf(source, 2);
    expect(cut?.attributes.get('megacollector.truncated_from')).toBe(String(2 * LIMITS.recordBytes));
    expect(cut?.attributes.has('megacollector.invalid_utf8')).toBe(false);
    expect(cut?.body).toBe('é'.repeat(LIMITS.recordBytes / 2 - 1));
    expect(short?.attributes.has('megacollector.truncated_from')).toBe(false);
    expect(await source.metrics.metrics()).toMatch(/collector_http_truncated_records_total\{.*\} 1/);
  });

  test('keep the address of their client, and have no attributes of this program, if the query names them', async () => {
    const source = await openedHttpSource(HTTP);
    const query = 'network.peer.address=192.0.2.1&megacollector.parse_error=x&team=a';
    expect((await post(source, `/v1/push?${query}`, 'one')).status).toBe(200);
    const [record] = await recordsOf(source, 1);
    expect(record?.attributes).toEqual(
      new Map([
        ['network.peer.address', '127.0.0.1'],
        ['team', 'a'],
      ]),
    );
  });

  test('keep the address of their client if a field or a label has its name', async () => {
    const source = await openedHttpSource(HTTP);
    const claimed = { 'network.peer.address': '192.0.2.1', 'network.peer.port': '1' };
    await post(source, '/v1/push', JSON.stringify({ msg: 'json', ...claimed }));
    const streams = [{ stream: claimed, values: [['1700000000000000000', 'loki']] }];
    await post(source, '/loki/api/v1/push', JSON.stringify({ streams }), { type: 'application/json' });
    await post(source, '/v1/push?network.peer.port=1', 'query');
    const records = await recordsOf(source, 3);
    expect(records.map(({ attributes }) => attributes.get('network.peer.address'))).toEqual(
      Array(3).fill('127.0.0.1'),
    );
    expect(records.map(({ attributes }) => attributes.get('network.peer.port'))).toEqual(
      Array(3).fill(undefined),
    );
    expect(
      records.map(({ attributes }) => attributes.get('megacollector.record.network.peer.address')),
    ).toEqual([...['192.0.2.1', '192.0.2.1', undefined]]);
  });

  test('are read in the format of the listener', async () => {
    const source = await openedHttpSource([{ ...HTTP[0], format: 'json?time=t&message=text' }]);
    await post(source, '/v1/push', '{"t":"2024-05-01T10:00:00Z","text":"hello"}');
    const [record] = await recordsOf(source, 1);
    expect(record).toMatchObject({ body: 'hello', timeUnixNano: 1_714_557_600_000_000_000n });
  });
});

describe('Loki', () => {
  const PUSH = '/loki/api/v1/push';

  test('entries in JSON have their time in nanoseconds, labels and structured metadata', async () => {
    const source = await openedHttpSource(HTTP);
    const body = JSON.stringify({
      streams: [
        {
          stream: { service_name: 'shop', level: 'error', filename: '/var/log/shop' },
          values: [
            ['1700000000123456789', 'paid "now" é'],
            ['1700000000123456790', '{"order":7,"msg":"sent"}', { trace_id: 'abc', level: 'warn' }],
          ],
        },
      ],
    });
    const answer = await post(source, PUSH, body, { type: 'application/json; charset=utf-8' });
    expect([answer.status, answer.text]).toEqual([204, '']);
    const [first, second] = await recordsOf(source, 2);
    expect(first).toMatchObject({
      ...{ timeUnixNano: 1_700_000_000_123_456_789n, body: 'paid "now" é', severityNumber: 17 },
      format: 'http-loki',
      attributes: new Map([
        ['service.name', 'shop'],
        ['log.file.path', '/var/log/shop'],
        ['network.peer.address', '127.0.0.1'],
      ]),
    });
    expect(second).toMatchObject({ body: 'sent', severityNumber: 13, severityText: 'warn' });
    expect(second?.attributes.get('order')).toBe(7);
    expect(second?.attributes.get('trace_id')).toBe('abc');
  });

  test('entries in protobuf with Snappy are the same', async () => {
    const source = await openedHttpSource(HTTP);
    const entry = message(
      1,
      message(1, [0x08, ...varint(1_700_000_000)], [0x10, 5]),
      text(2, 'line é'),
      message(3, text(1, 'k'), text(2, 'v')),
    );
    const stream = message(1, text(1, '{service_name="shop", job="a\\"b"}'), message(2, entry.subarray(2)));
    const answer = await post(source, PUSH, snappy(stream), { type: 'application/x-protobuf' });
    expect([answer.status, answer.text]).toEqual([204, '']);
    const [record] = await recordsOf(source, 1);
    expect(record).toMatchObject({ timeUnixNano: 1_700_000_000_000_000_005n, body: 'line é' });
    expect(Object.fromEntries(record?.attributes ?? [])).toMatchObject({
      'service.name': 'shop',
      job: 'a"b',
      k: 'v',
    });
  });

  test('a line that is not UTF-8 keeps its bytes', async () => {
    const source = await openedHttpSource(HTTP);
    const entry = [...field(2, [0x61, 0xff, 0x62])];
    await post(source, PUSH, snappy(message(1, text(1, '{}'), message(2, entry))), {
      type: 'application/x-protobuf',
    });
    const [record] = await recordsOf(source, 1);
    expect(record?.attributes.get('megacollector.invalid_utf8')).toBe(true);
    expect(
      Buffer.concat(source.taken.batches.map(({ data }) => data)).includes(Buffer.from([0x61, 0xff, 0x62])),
    ).toBe(true);
  });

  test('labels that are too large for the attributes of a sender are kept', async () => {
    const source = await openedHttpSource(HTTP);
    const stream = { long: 'x'.repeat(10_000) };
    const values = [['1700000000000000000', 'one']];
    await post(source, PUSH, JSON.stringify({ streams: [{ stream, values }] }), { type: 'application/json' });
    const [record] = await recordsOf(source, 1);
    expect(record?.attributes.get('long')).toBe(stream.long);
    expect(record?.body).toBe('one');
  });

  test('large labels of many entries do not become many times as large', async () => {
    const source = await openedHttpSource(HTTP);
    const stream = { long: 'x'.repeat(60_000) };
    const values = Array.from({ length: 10_000 }, () => ['1', 'a']);
    const answer = await post(source, PUSH, JSON.stringify({ streams: [{ stream, values }] }), {
      type: 'application/json',
    });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('Send fewer records')]);
  });

  test.each([
    ['no JSON', 'application/json', Buffer.from('{')],
    ['no list of streams', 'application/json', Buffer.from('{"streams":{}}')],
    [
      'a time that is a number',
      'application/json',
      Buffer.from('{"streams":[{"stream":{},"values":[[1,"a"]]}]}'),
    ],
    [
      'labels that are no texts',
      'application/json',
      Buffer.from('{"streams":[{"stream":{"a":1},"values":[]}]}'),
    ],
    ['no Snappy', 'application/x-protobuf', Buffer.from('plain')],
    ['no protobuf', 'application/x-protobuf', snappy(Buffer.from([0x0a, 50, 1]))],
    ['a field of a wrong type', 'application/x-protobuf', snappy(Buffer.from([0x08, 1]))],
    ['wrong labels', 'application/x-protobuf', snappy(message(1, text(1, 'x')))],
  ])('a request with %s is rejected', async (_, type, body) => {
    const source = await openedHttpSource(HTTP);
    const answer = await post(source, PUSH, body, { type });
    expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(/\.\n$/)]);
  });
});

describe('Elasticsearch', () => {
  test.each([
    ['index in the path', `/${'a'.repeat(256)}/_bulk`],
    ['pipeline', `/shop/_bulk?pipeline=${'a'.repeat(256)}`],
  ])('a request with a long %s is rejected: each document would have it', async (_, path) => {
    const source = await openedHttpSource(HTTP);
    const body = '{"create":{"_id":"1"}}\n{"message":"one"}\n';
    const answer = await post(source, path, body, { type: 'application/x-ndjson' });
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining('must be at most 255 bytes, got 256'),
    ]);
    expect((await post(source, path.replace('aa', 'a'), body, { type: 'application/x-ndjson' })).status).toBe(
      200,
    );
  });

  const NDJSON = { type: 'application/x-ndjson' };

  test('a bulk request has a result for each operation, and stores the documents as they are', async () => {
    const source = await openedHttpSource(HTTP);
    const document =
      '{"@timestamp":"2024-05-01T10:00:00.5Z","message":"paid","host":{"name":"web1"},"log":{"level":"warn"}}';
    const lines = [
      ...['{"create":{"_index":"logs-shop"}}', document, '{"index":{"_id":"7"}}', '{"a":{"b":1},"a.c":2}'],
      ...['{"update":{"_id":"7"}}', '{"doc":{}}', '{"delete":{"_id":"7"}}'],
    ];
    const answer = await post(source, '/default/_bulk', `${lines.join('\n')}\n`, NDJSON);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-elastic-product')).toBe('Elasticsearch');
    const { errors, items } = JSON.parse(answer.text);
    expect(errors).toBe(true);
    expect(items).toMatchObject([
      { create: { _index: 'logs-shop', status: 201 } },
      { index: { _index: 'default', _id: '7', status: 201 } },
      { update: { status: 400, error: { type: 'illegal_argument_exception' } } },
      { delete: { status: 400, error: { type: 'illegal_argument_exception' } } },
    ]);
    const [first, second] = await recordsOf(source, 2);
    expect(first).toMatchObject({
      body: 'paid',
      severityNumber: 13,
      timeUnixNano: 1_714_557_600_500_000_000n,
    });
    expect(Object.fromEntries(first?.attributes ?? [])).toMatchObject({
      'host.name': 'web1',
      'elasticsearch.index': 'logs-shop',
    });
    expect(Object.fromEntries(second?.attributes ?? [])).toMatchObject({
      'a.b': 1,
      'a.c': 2,
      'elasticsearch.document_id': '7',
    });
    expect(rawTexts(source).startsWith(`${document}\n`)).toBe(true);
  });

  test('a request with a filter receives only status and errors', async () => {
    const source = await openedHttpSource(HTTP);
    const answer = await post(
      source,
      '/_bulk?filter_path=errors,items.*.error,items.*.status',
      '{"create":{"_index":"a"}}\n{}\n',
      NDJSON,
    );
    expect(JSON.parse(answer.text)).toEqual({ errors: false, items: [{ create: { status: 201 } }] });
  });

  test.each([
    ['GET', '/', { version: { number: '8.17.0' }, tagline: 'You Know, for Search' }],
    ['GET', '/_license?human=false', { license: { status: 'active' } }],
    ['GET', '/_cluster/health', { status: 'green' }],
    ['PUT', '/_ilm/policy/filebeat', { acknowledged: true }],
    ['PUT', '/_index_template/filebeat', { acknowledged: true }],
    ['GET', '/_data_stream/filebeat', {}],
    ['POST', '/logs/_doc', { result: 'created' }],
  ])('%s %s is answered as agents expect', async (method, path, expected) => {
    const source = await openedHttpSource(HTTP);
    const answer = await post(source, path, '{"a":1}', { method, type: 'application/json' });
    expect(answer.status).toBeLessThan(300);
    expect(JSON.parse(answer.text)).toMatchObject(expected);
    expect((await post(source, path, '', { method: 'HEAD' })).headers.get('x-elastic-product')).toBe(
      'Elasticsearch',
    );
  });

  test.each([
    ['an action that is no JSON', '/_bulk', 'x\n{}\n'],
    ['an unknown action', '/_bulk', '{"drop":{}}\n{}\n'],
    ['no document', '/_bulk', '{"create":{"_index":"a"}}\n'],
    ['no operation', '/_bulk', '\n'],
    ['a long index', '/_bulk', `{"create":{"_index":"${'x'.repeat(300)}"}}\n{}\n`],
    ['an unknown path', '/_search', '{}'],
    ['a name of a property of objects', '/constructor', '{}'],
  ])('a request with %s is rejected', async (_, path, body) => {
    const source = await openedHttpSource(HTTP);
    const answer = await post(source, path, body, NDJSON);
    expect(JSON.parse(answer.text)).toMatchObject({
      status: 400,
      error: { type: 'illegal_argument_exception' },
    });
  });
});

describe('Elasticsearch answers', () => {
  test.each(['', '?filter_path=items'])('are JSON for any index and id%s', async (query) => {
    const source = await openedHttpSource(HTTP);
    const place = { _index: 'a"\\b\u2028', _id: '"}\n\ud800' };
    const body = `${JSON.stringify({ create: place })}\n{}\n${JSON.stringify({ delete: place })}\n`;
    const answer = await post(source, `/_bulk${query}`, body, { type: 'application/x-ndjson' });
    const { items } = JSON.parse(answer.text);
    const shown = query === '' ? place : {};
    expect(items).toMatchObject([
      { create: { ...shown, status: 201 } },
      { delete: { ...shown, status: 400 } },
    ]);
  });
});

describe('Splunk', () => {
  const EVENT = '/services/collector/event';

  test('events follow each other, and keep their bytes', async () => {
    const source = await openedHttpSource(HTTP);
    const first =
      '{"time":1700000000.123,"host":"web1","source":"/var/log/a","sourcetype":"app","index":"main","event":"hello","fields":{"level":"error","order":7}}';
    const second = '{"event":{"message":"paid","ts":"2024-05-01T10:00:00Z"}}';
    const answer = await post(source, EVENT, `${first}${second}`);
    expect([answer.status, answer.text]).toEqual([200, '{"text":"Success","code":0}']);
    const records = await recordsOf(source, 2);
    expect(records[0]).toMatchObject({
      body: 'hello',
      severityNumber: 17,
      timeUnixNano: 1_700_000_000_123_000_000n,
    });
    expect(Object.fromEntries(records[0]?.attributes ?? [])).toMatchObject({
      ...{ 'host.name': 'web1', 'com.splunk.source': '/var/log/a', 'com.splunk.sourcetype': 'app' },
      ...{ 'com.splunk.index': 'main', order: 7 },
    });
    expect(records[1]).toMatchObject({ body: 'paid', timeUnixNano: 1_714_557_600_000_000_000n });
    expect(rawTexts(source)).toBe(`${first}\n${second}\n`);
  });

  test('raw text is an event on each line, with the metadata of the query', async () => {
    const source = await openedHttpSource(HTTP);
    const answer = await post(source, '/services/collector/raw?host=web1&sourcetype=app', 'one\ntwo\n');
    expect(answer.status).toBe(200);
    const records = await recordsOf(source, 2);
    expect(records.map(({ body }) => body)).toEqual(['one', 'two']);
    expect(records[1]?.attributes.get('host.name')).toBe('web1');
  });

  test('a client with a channel receives a number, which is acknowledged', async () => {
    const source = await openedHttpSource(HTTP);
    const headers = { 'x-splunk-request-channel': 'c0ffee00-0000-4000-8000-000000000000' };
    const { ackId } = JSON.parse((await post(source, EVENT, '{"event":"a"}', { headers })).text);
    const answer = await post(source, '/services/collector/ack', JSON.stringify({ acks: [ackId] }), {
      headers,
    });
    expect(JSON.parse(answer.text)).toEqual({ acks: { [ackId]: true } });
    expect(JSON.parse((await post(source, '/services/collector/ack', '{"acks":[0]}')).text)).toMatchObject({
      code: 10,
    });
  });

  test.each([
    ['nothing', '', 5, undefined],
    ['no JSON', 'hello', 6, 0],
    ['no event', '{"time":1}', 12, 0],
    ['an empty event', '{"event":"x"}{"event":""}', 13, 1],
    ['fields that are no object', '{"event":"x","fields":[1]}', 15, 0],
    ['damaged JSON', '{"event":"x"}{"event":nul}', 6, 1],
  ])(
    'a request with %s receives the code of Splunk, and the events before it are stored',
    async (_, body, code, number) => {
      const source = await openedHttpSource(HTTP);
      const answer = await post(source, EVENT, body);
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text)).toMatchObject({
        code,
        ...(number === undefined ? {} : { 'invalid-event-number': number }),
      });
      await recordsOf(source, number ?? 0);
    },
  );
});

describe('without room', () => {
  test.each([
    ['/v1/push', 'a', 503, 'There is no room'],
    ['/loki/api/v1/push', '{"streams":[{"stream":{},"values":[["1","a"]]}]}', 503, 'There is no room'],
    ['/_bulk', '{"create":{"_index":"a"}}\n{}\n', 429, 'es_rejected_execution_exception'],
    ['/services/collector', '{"event":"a"}', 503, 'Server is busy'],
  ])('%s is answered with a later retry, and stores nothing', async (path, body, status, text) => {
    let shortage: string | undefined = 'the disk is full';
    const source = await openedHttpSource(HTTP, { shortage: () => shortage });
    const full = await post(source, path, body, { type: 'application/json' });
    expect([full.status, full.text, full.headers.get('retry-after')]).toEqual([
      status,
      expect.stringContaining(text),
      '1',
    ]);
    shortage = undefined;
    expect((await post(source, path, body, { type: 'application/json' })).status).toBeLessThan(300);
    await recordsOf(source, 1);
  });
});

describe('tokens', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  test('are accepted in each notation, and a request without one is rejected', async () => {
    const path = join(await temporaryDirectory(), 'tokens');
    await writeFile(path, 'first\nsecond\n');
    const source = await openedHttpSource([{ ...HTTP[0], token_file: path }]);
    const statusOf = async (authorization: string | undefined, target = '/v1/push') =>
      (
        await post(source, target, '{"event":1}', {
          headers: authorization === undefined ? {} : { authorization },
        })
      ).status;
    expect(await statusOf('Bearer first')).toBe(200);
    expect(await statusOf('Splunk second', '/services/collector')).toBe(200);
    expect(await statusOf(basic('any:first'))).toBe(200);
    expect(await statusOf(`ApiKey ${Buffer.from('id:first').toString('base64')}`)).toBe(200);
    expect(await statusOf(undefined, '/services/collector?token=first')).toBe(200);
    expect(await statusOf(undefined, '/v1/push?token=first')).toBe(401);
    expect(await statusOf(undefined)).toBe(401);
    expect(await statusOf('Bearer firs')).toBe(401);
    expect(await statusOf('Digest first')).toBe(401);
    expect(await statusOf(undefined, '/services/collector')).toBe(401);
    expect(await statusOf('Splunk wrong', '/services/collector')).toBe(403);
    expect((await post(source, '/services/collector/health', '', { method: 'GET' })).text).toContain(
      '"code":17',
    );
    await recordsOf(source, 5);
    expect(JSON.stringify(source.lines)).not.toContain('first');
  });

  test('are read again when the file changes', async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'tokens');
    await writeFile(path, 'old');
    const source = await openedHttpSource([{ ...HTTP[0], token_file: path }]);
    await writeFile(join(directory, 'next'), 'new');
    await rename(join(directory, 'next'), path);
    const statusOf = async (token: string) =>
      (await post(source, '/v1/push', 'a', { headers: { authorization: `Bearer ${token}` } })).status;
    await vi.waitFor(async () => expect(await statusOf('new')).toBe(200), PATIENT);
    expect(await statusOf('old')).toBe(401);
  });

  test('a listener without a usable file stays closed', async () => {
    const source = await openedHttpSource([{ ...HTTP[0], token_file: '/nonexistent/tokens' }]);
    expect(source.source.status().listeners).toMatchObject([
      { state: 'closed', failure: expect.stringContaining('ENOENT') },
    ]);
  });
});

describe('a hostile client', () => {
  test('that sends a body above the limit, also inflated, is rejected', async () => {
    const source = await openedHttpSource([{ ...HTTP[0], max_request: '64KiB' }]);
    expect((await post(source, '/v1/push', 'x'.repeat(70_000))).status).toBe(413);
    const bomb = Buffer.from(gzipSync(Buffer.alloc(50 * 1024 * 1024, 'a')));
    const headers = { 'content-encoding': 'gzip' };
    expect((await post(source, '/v1/push', bomb, { headers })).status).toBe(413);
    const snappyBomb = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0x61]);
    expect(
      (await post(source, '/loki/api/v1/push', snappyBomb, { type: 'application/x-protobuf' })).status,
    ).toBe(413);
    expect((await post(source, '/v1/push', 'small')).status).toBe(200);
  });

  test('with a wrong encoding, type or method is rejected', async () => {
    const source = await openedHttpSource(HTTP);
    const statusOf = async (options: Posted) => (await post(source, '/v1/push', 'a', options)).status;
    expect(await statusOf({ headers: { 'content-encoding': 'br' } })).toBe(415);
    expect(await statusOf({ headers: { 'content-encoding': 'gzip' } })).toBe(400);
    expect(await statusOf({ headers: { 'content-encoding': 'zstd' } })).toBe(400);
    expect(await statusOf({ type: 'application/msgpack' })).toBe(415);
    expect(await statusOf({ method: 'DELETE' })).toBe(405);
  });

  test('with more lines than a request may have is rejected', async () => {
    const source = await openedHttpSource(HTTP);
    expect((await post(source, '/v1/push', 'a\n'.repeat(100_001))).status).toBe(400);
    expect((await post(source, '/_bulk', '{"delete":{"_id":1}}\n'.repeat(100_001))).status).toBe(400);
  });

  test('that closes in the middle of a request stores nothing, and answered records stay', async () => {
    const source = await openedHttpSource(HTTP);
    expect((await post(source, '/v1/push', 'answered')).status).toBe(200);
    const [host = '', port = ''] = source.address().split(':');
    const socket = connect(Number(port), host);
    await once(socket, 'connect');
    socket.write('POST /v1/push HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\npart\npart\n');
    await vi.waitFor(
      () => expect(source.source.status().listeners?.[0]?.connections).toBeGreaterThan(1),
      PATIENT,
    );
    socket.destroy();
    await vi.waitFor(
      async () => expect(await source.metrics.metrics()).toContain('outcome="invalid"} 1'),
      PATIENT,
    );
    expect((await post(source, '/v1/push', 'later')).status).toBe(200);
    const records = await recordsOf(source, 2);
    expect(records.map(({ body }) => body)).toEqual(['answered', 'later']);
  });
});

test('a client without a certificate is rejected when there is an authority', async () => {
  const authority = await CertificateAuthority.create();
  const directory = await temporaryDirectory();
  const material = await authority.issue({ name: 'collector' });
  const file = async (name: string, content: string) => {
    await writeFile(join(directory, name), content);
    return join(directory, name);
  };
  const keys = {
    certificate_file: await file('own.pem', material.certificate),
    key_file: await file('own.key', material.key),
    ca_file: await file('ca.pem', material.caCertificate),
  };
  const source = await openedHttpSource([{ listen: 'https://127.0.0.1:0', ...keys }]);
  const [host, port] = source.address().split(':');
  const send = async (own: object) => {
    const request = httpsRequest({
      host,
      port,
      path: '/v1/push',
      method: 'POST',
      ca: material.caCertificate,
      ...own,
    });
    request.end('secret');
    const [response] = await once(request, 'response');
    response.resume();
    return response.statusCode as number;
  };
  await expect(send({})).rejects.toThrow();
  expect(await send({ cert: material.certificate, key: material.key })).toBe(200);
  await recordsOf(source, 1);
});

test('stores each request of many at once, and accepts no more after a stop', async () => {
  const source = await openedHttpSource(HTTP);
  await Promise.all(Array.from({ length: 20 }, (_, index) => post(source, '/v1/push', `${index}`)));
  const records = await recordsOf(source, 20);
  await source.close();
  await expect(post(source, '/v1/push', 'late')).rejects.toThrow();
  expect(new Set(records.map(({ body }) => body)).size).toBe(20);
});

describe('the configuration', () => {
  const parsedOf = (environment: Readonly<Record<string, string>>) => {
    const { values, problems } = parseVariables(httpSourceType.variables, environment);
    return problems.length > 0 ? problems : httpSourceType.parse(values, { once: false, otherSources: [] });
  };

  test('uses the loopback address and port 8088 without others', () => {
    expect(parsedOf({ COLLECTOR_HTTP: 'http:// https' })).toMatchObject([
      { variable: expect.stringContaining('COLLECTOR_HTTP') },
    ]);
    expect(parsedOf({ COLLECTOR_HTTP: 'http://' })).toMatchObject({
      configuration: {
        listeners: [{ listen: { transport: 'http', address: { host: '127.0.0.1', port: 8088 } } }],
      },
      warnings: [],
    });
  });

  test('warns about listeners for other machines without TLS, or without tokens', () => {
    expect(parsedOf({ COLLECTOR_HTTP: 'http://0.0.0.0:8088' })).toMatchObject({
      warnings: [{ message: expect.stringContaining('unencrypted') }],
    });
    const tls = { listen: 'https://0.0.0.0:8088', certificate_file: 'a', key_file: 'b' };
    expect(parsedOf({ COLLECTOR_HTTP_CONFIGURATION: JSON.stringify([tls]) })).toMatchObject({
      warnings: [{ message: expect.stringContaining('token_file') }],
    });
    expect(
      parsedOf({ COLLECTOR_HTTP_CONFIGURATION: JSON.stringify([{ ...tls, token_file: 'c' }]) }),
    ).toMatchObject({ warnings: [] });
  });
});

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

function field(number: number, bytes: Iterable<number>): readonly number[] {
  const all = [...bytes];
  return [(number << 3) | 2, ...varint(all.length), ...all];
}

function text(number: number, value: string): readonly number[] {
  return field(number, Buffer.from(value));
}

function message(number: number, ...parts: readonly Iterable<number>[]): Buffer<ArrayBuffer> {
  return Buffer.from(
    field(
      number,
      parts.flatMap((part) => [...part]),
    ),
  );
}

/** A block with literals only. */
function snappy(bytes: Buffer): Buffer<ArrayBuffer> {
  const literals: number[] = [];
  for (let at = 0; at < bytes.length; at += 60) {
    const part = bytes.subarray(at, at + 60);
    literals.push((part.length - 1) << 2, ...part);
  }
  return Buffer.from([...varint(bytes.length), ...literals]);
}
