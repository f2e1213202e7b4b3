import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { batchOf } from '../../../src/records/batch.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { CertificateAuthority } from '../../support/certificate-authority.ts';
import { joinParts } from '../../support/logplex-decoder.ts';
import { LogplexEndpoint, type Misbehaviour } from '../../support/logplex-endpoint.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { batch, going, logplex } from './emitting.ts';

const DELIVERED = { kind: 'delivered' };
const bodiesOf = (records: readonly string[]) => records.map((record) => record.trimEnd());

/** About 200 KiB. */
const many = lines(2_000, 'x'.repeat(30));

describe('a request', () => {
  it('has the headers and body of the logplex protocol', async () => {
    const endpoint = await LogplexEndpoint.start({ tokens: ['t.one'] });
    const { emitter, metric } = await logplex({ url: endpoint.url('t.one', '/a/logs?b=c') });
    const slice = recordBatch(['first\n', 'café\r\n'], { observedTimeUnixNano: 1_700_000_000_123_456_789n });
    expect(await emitter.emit(batchOf([slice]), going)).toEqual(DELIVERED);
    expect(await emitter.flush()).toEqual(DELIVERED);
    const [request] = endpoint.accepted;
    const header = '<134>1 2023-11-14T22:13:20.123Z test-host t.one - - - ';
    expect(request?.body.toString()).toBe(`59 ${header}first59 ${header}café`);
    expect(request?.path).toBe('/a/logs?b=c');
    expect(request?.headers).toMatchObject({
      host: `localhost:${endpoint.port}`,
      'content-type': 'application/logplex-1',
      'content-length': '124',
      authorization: `Basic ${Buffer.from('token:t.one').toString('base64')}`,
      'logplex-msg-count': '2',
      'logplex-frame-id': expect.stringMatching(/^[0-9a-f]{32}$/),
      'user-agent': expect.stringMatching(/^mega-collector\/\d+\.\d+\.\d+$/),
    });
    expect(endpoint.faults).toEqual([]);
    expect(await metric('messages_total')).toBe(2);
    expect(await metric('successful_messages_total')).toBe(2);
    expect(await metric('successful_requests_total')).toBe(1);
    expect(await metric('bytes_total')).toBe(124);
    expect(await metric('last_success_timestamp_seconds')).toBe(1_700_000_000);
  });

  it('has at most 100 KiB, and at most three are in flight', async () => {
    const endpoint = await LogplexEndpoint.start();
    const { emitter, metric } = await logplex({ url: endpoint.url() });
    let release = () => {};
    endpoint.held = new Promise((resolve) => {
      release = resolve;
    });
    const outcome = emitter.emit(batch([...many, ...many]), going);
    await expect.poll(() => endpoint.mostAtOnce).toBe(3);
    expect(await metric('in_flight_requests')).toBe(3);
    release();
    expect(await outcome).toEqual(DELIVERED);
    expect(await metric('in_flight_requests')).toBe(0);
    expect(Math.max(...endpoint.requests.map(({ body }) => body.length))).toBeLessThanOrEqual(102_400);
    expect(endpoint.requests.length).toBeGreaterThan(3);
    expect(endpoint.mostAtOnce).toBe(3);
    expect(endpoint.texts().sort()).toEqual(bodiesOf([...many, ...many]).sort());
  });

  it('waits for the previous one with "ordered"', async () => {
    const endpoint = await LogplexEndpoint.start();
    const { emitter } = await logplex({ url: endpoint.url(), ordered: true });
    expect(await emitter.emit(batch([...many, ...many]), going)).toEqual(DELIVERED);
    expect(endpoint.mostAtOnce).toBe(1);
    expect(endpoint.connections).toBe(1);
    expect(endpoint.texts()).toEqual(bodiesOf([...many, ...many]));
  });

  it('contains no message above 10240 bytes', async () => {
    const endpoint = await LogplexEndpoint.start();
    const long = `${'é'.repeat(200_000)}\n`;
    const { emitter, metric } = await logplex({ url: endpoint.url() });
    expect(await emitter.emit(batch(['a\n', long, 'b\n']), going)).toEqual(DELIVERED);
    expect(endpoint.texts().length).toBeGreaterThan(40);
    expect(await metric('split_records_total')).toBe(1);

    const { emitter: cutting, metric: cut } = await logplex({ url: endpoint.url(), long_text: 'truncate' });
    endpoint.accepted.length = 0;
    expect(await cutting.emit(batch(['a\n', long, 'b\n']), going)).toEqual(DELIVERED);
    expect(endpoint.texts()).toEqual(['a', expect.stringMatching(/^é+ \[truncated \d+ bytes\]$/), 'b']);
    expect(await cut('truncated_messages_total')).toBe(1);
    expect(endpoint.faults).toEqual([]);
  });
});

describe('a response', () => {
  const answers: [Misbehaviour, object][] = [
    [
      { status: 503, body: 'Service t.test unavailable' },
      { reason: / answered 503: Service \[secret\] unavailable$/ },
    ],
    [{ status: 503, headers: { 'Retry-After': '7' } }, { afterMs: 7_000 }],
    [{ status: 429, headers: { 'Retry-After': 'Tue, 14 Nov 2023 22:14:20 GMT' } }, { afterMs: 60_000 }],
    [{ status: 429, headers: { 'Retry-After': '999999999' } }, { afterMs: 3_600_000 }],
    [{ status: 429, headers: { 'Retry-After': 'soon' } }, { reason: /answered 429/ }],
    [{ status: 408 }, { reason: /answered 408/ }],
    [{ status: 401 }, { reason: /answered 401 \(unknown token\)/ }],
    [{ status: 403 }, { reason: /answered 403/ }],
    [{ status: 404 }, { reason: /answered 404/ }],
    [{ status: 405 }, { reason: /answered 405/ }],
    [{ status: 415 }, { reason: /answered 415/ }],
    [
      { status: 301, headers: { Location: 'https://localhost:1/' } },
      { reason: /redirects are not followed/ },
    ],
    [{ status: 307, headers: { Location: '/elsewhere' } }, { reason: /redirects are not followed/ }],
    ['reset', { reason: /reset the connection/ }],
    ['reset-at-once', { reason: /reset the connection|closed/ }],
  ];

  it.each(answers)('that is not about the content causes a retry: %j', async (answer, expected) => {
    const endpoint = await LogplexEndpoint.start();
    const { emitter, clock, metric } = await logplex({ url: endpoint.url() });
    endpoint.next.push(answer);
    const one = batch(['a\n', 'b\n']);
    const outcome = await emitter.emit(one, going);
    const patterns = Object.entries(expected).map(([key, value]) => [
      key,
      value instanceof RegExp ? expect.stringMatching(value) : value,
    ]);
    expect(outcome).toMatchObject({ kind: 'retry', ...Object.fromEntries(patterns) });
    expect(JSON.stringify(outcome)).not.toContain('t.test');
    await clock.advance(3_600_000);
    expect(await emitter.emit(one, going)).toEqual(DELIVERED);
    expect(endpoint.texts()).toEqual(['a', 'b']);
    const ids = endpoint.requests.map(({ headers }) => headers['logplex-frame-id']);
    expect(new Set(ids).size).toBe(1);
    expect(await metric('retried_requests_total')).toBe(1);
    expect(await metric('messages_total')).toBe(4);
    const [rejected, cancelled] = [
      await metric('rejected_messages_total'),
      await metric('cancelled_messages_total'),
    ];
    expect([rejected, cancelled]).toEqual(typeof answer === 'string' ? [0, 2] : [2, 0]);
  });

  it('with Retry-After delays the next request, even if delivery calls earlier', async () => {
    const endpoint = await LogplexEndpoint.start();
    const { emitter, clock } = await logplex({ url: endpoint.url() });
    endpoint.next.push({ status: 503, headers: { 'Retry-After': '30' } });
    await emitter.emit(batch(['a\n']), going);
    await clock.advance(20_000);
    expect(await emitter.emit(batch(['a\n']), going)).toMatchObject({ kind: 'retry', afterMs: 10_000 });
    expect(endpoint.requests).toHaveLength(1);
    await clock.advance(10_000);
    expect(await emitter.emit(batch(['a\n']), going)).toEqual(DELIVERED);
  });

  it.each(['early', 'continue', 'flood', 'endless'] as const)(
    'of success counts, however it comes: %s',
    async (how) => {
      const endpoint = await LogplexEndpoint.start();
      const { emitter, clock } = await logplex({ url: endpoint.url(), request_timeout: '3s' });
      endpoint.next.push(how);
      const outcome = emitter.emit(batch(['a\n']), going);
      if (how === 'endless') {
        await expect.poll(() => endpoint.accepted.length).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        await clock.advance(3_000);
      }
      expect(await outcome).toEqual(DELIVERED);
      expect(await emitter.emit(batch(['b\n']), going)).toEqual(DELIVERED);
      expect(endpoint.texts().at(-1)).toBe('b');
    },
  );
});

describe('a rejected body', () => {
  it('is split until the rejected records are alone; the rest arrives once', async () => {
    const endpoint = await LogplexEndpoint.start();
    endpoint.refuses = ({ text }) => text === 'line 37' || text === 'line 81';
    const { emitter, metric } = await logplex({ url: endpoint.url() });
    const slices = [recordBatch(lines(50)), recordBatch(lines(100).slice(50))];
    expect(await emitter.emit(batchOf(slices), going)).toEqual({
      kind: 'rejected',
      reason: expect.stringMatching(/answered 400: Malformed log messages$/),
      records: [37, 81],
    });
    // The records of delivery's next call.
    const rest = slices.flatMap((slice, index) => without(slice, index === 0 ? 37 : 31));
    expect(await emitter.emit(batchOf(rest), going)).toEqual(DELIVERED);
    const expected = bodiesOf(lines(100)).filter((text) => text !== 'line 37' && text !== 'line 81');
    expect(endpoint.texts()).toEqual(expected);
    const total = await metric('messages_total');
    expect(total).toBe(
      (await metric('successful_messages_total')) + (await metric('rejected_messages_total')),
    );
  });

  it('with one message counts as a failure of the destination after sixteen in a row', async () => {
    const endpoint = await LogplexEndpoint.start();
    endpoint.refuses = () => true;
    const { emitter } = await logplex({ url: endpoint.url() });
    expect(await emitter.emit(batch(lines(100)), going)).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('suggests a fault of the destination'),
    });
    endpoint.refuses = () => false;
    expect(await emitter.emit(batch(lines(100)), going)).toEqual(DELIVERED);
    expect(endpoint.texts()).toEqual(bodiesOf(lines(100)));
  });

  it('with one part of a split record rejects that record only', async () => {
    const endpoint = await LogplexEndpoint.start();
    endpoint.refuses = ({ text }) => text.endsWith('[2/3]');
    const { emitter } = await logplex({ url: endpoint.url() });
    const records = ['a\n', `${'x'.repeat(25_000)}\n`, 'b\n'];
    expect(await emitter.emit(batch(records), going)).toMatchObject({ kind: 'rejected', records: [1] });
    expect(endpoint.texts()).toEqual([
      'a',
      expect.stringMatching(/\[1\/3\]$/),
      expect.stringMatching(/\[3\/3\]$/),
      'b',
    ]);
  });
});

/** A slice without one of its records, as delivery splits it. */
function without(slice: ReturnType<typeof recordBatch>, index: number) {
  const offset = (count: number) => slice.sizes.subarray(0, count).reduce((sum, size) => sum + size, 0);
  const part = (from: number, to: number) => ({
    ...slice,
    start: slice.start + offset(from),
    sizes: slice.sizes.subarray(from, to),
    data: slice.data.subarray(offset(from), offset(to)),
  });
  return [part(0, index), part(index + 1, slice.sizes.length)];
}

it('retries only undelivered records', async () => {
  const endpoint = await LogplexEndpoint.start();
  const { emitter, metric } = await logplex({ url: endpoint.url(), ordered: true });
  const records = batch(many);
  endpoint.behaviour = () => (endpoint.requests.length === 2 ? { status: 503 } : undefined);
  expect(await emitter.emit(records, going)).toMatchObject({ kind: 'retry' });
  const arrived = endpoint.texts().length;
  expect(arrived).toBeGreaterThan(0);
  expect(await emitter.emit(records, going)).toEqual(DELIVERED);
  expect(endpoint.texts()).toEqual(bodiesOf(many));
  expect(await metric('retried_requests_total')).toBe(1);
  // The batch is complete: the same text at another position is another record.
  expect(await emitter.emit(batch(many), going)).toEqual(DELIVERED);
  expect(endpoint.texts()).toHaveLength(2 * many.length);
});

it('retries a record if one of its parts was not delivered', async () => {
  const endpoint = await LogplexEndpoint.start();
  const { emitter } = await logplex({ url: endpoint.url(), ordered: true });
  const long = `${'x'.repeat(300_000)}\n`;
  const records = batch(['before\n', long, 'after\n']);
  endpoint.behaviour = () => (endpoint.requests.length === 3 ? { status: 503 } : undefined);
  expect(await emitter.emit(records, going)).toMatchObject({ kind: 'retry' });
  expect(endpoint.texts()[0]).toBe('before');
  endpoint.accepted.length = 0;
  expect(await emitter.emit(records, going)).toEqual(DELIVERED);
  expect(joinParts(endpoint.texts())).toEqual(bodiesOf([long, 'after']));
});

it('gives equal texts at different positions different frame ids', async () => {
  const endpoint = await LogplexEndpoint.start();
  const { emitter } = await logplex({ url: endpoint.url() });
  await emitter.emit(batch(['same\n']), going);
  await emitter.emit(batch(['same\n']), going);
  const [one, two] = endpoint.accepted.map(({ headers }) => headers['logplex-frame-id']);
  expect(one).not.toBe(two);
});

describe('a timeout', () => {
  it('ends a request without a response', async () => {
    const endpoint = await LogplexEndpoint.start();
    const { emitter, clock } = await logplex({ url: endpoint.url() });
    endpoint.next.push('hang');
    const outcome = emitter.emit(batch(['a\n']), going);
    await expect.poll(() => endpoint.requests.length).toBe(1);
    await clock.advance(9_999);
    expect(await Promise.race([outcome, Promise.resolve('waiting')])).toBe('waiting');
    await clock.advance(1);
    expect(await outcome).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('no answer within 10000 ms'),
    });
    expect(await emitter.emit(batch(['a\n']), going)).toEqual(DELIVERED);
  });

  it('ends a connection without a TLS handshake', async () => {
    let greeted = 0;
    const silent = createServer((socket) => {
      socket.on('data', () => greeted++);
      onTestFinished(() => void socket.destroy());
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const { emitter, clock } = await logplex({ url: `https://token:t.test@127.0.0.1:${port}/logs` });
    const outcome = emitter.emit(batch(['a\n']), going);
    await expect.poll(() => greeted).toBe(1);
    await clock.advance(5_000);
    expect(await outcome).toEqual({
      kind: 'retry',
      reason: `https://127.0.0.1:${port}: no TLS handshake within 5000 ms`,
    });
  });

  it('is cut short by the abort of the request', async () => {
    const endpoint = await LogplexEndpoint.start();
    const { emitter } = await logplex({ url: endpoint.url() });
    endpoint.next.push('hang');
    const stopping = new AbortController();
    const outcome = emitter.emit(batch(['a\n']), stopping.signal);
    await expect.poll(() => endpoint.requests.length).toBe(1);
    stopping.abort();
    expect(await outcome).toMatchObject({ kind: 'retry', reason: expect.stringContaining('stopped') });
    await emitter.stop();
    expect(await emitter.emit(batch(['a\n']), going)).toMatchObject({ kind: 'retry' });
  });
});

describe('a connection', () => {
  it('is reused, and opened again after the server closed it', async () => {
    const endpoint = await LogplexEndpoint.start();
    const { emitter, metric } = await logplex({ url: endpoint.url() });
    for (const text of ['a\n', 'b\n']) expect(await emitter.emit(batch([text]), going)).toEqual(DELIVERED);
    expect(endpoint.connections).toBe(1);
    endpoint.next.push('reset');
    // As if the server closes it as idle while a request is in flight.
    expect(await emitter.emit(batch(['c\n']), going)).toEqual(DELIVERED);
    expect(endpoint.connections).toBe(2);
    expect(await metric('retried_requests_total')).toBe(1);
    expect(endpoint.texts()).toEqual(['a', 'b', 'c']);
  });

  it('is closed when idle, but not while it waits for a response', async () => {
    const endpoint = await LogplexEndpoint.start();
    const { emitter } = await logplex({ url: endpoint.url(), idle_timeout: '50ms' });
    endpoint.held = new Promise((resolve) => setTimeout(resolve, 150));
    expect(await emitter.emit(batch(['a\n']), going)).toEqual(DELIVERED);
    await expect.poll(() => endpoint.open).toBe(0);
    expect(await emitter.emit(batch(['b\n']), going)).toEqual(DELIVERED);
    expect(endpoint.connections).toBe(2);
  });

  it('that is refused causes a retry', async () => {
    const port = await freePort();
    const { emitter } = await logplex({ url: `http://token:t.test@127.0.0.1:${port}/logs` });
    expect(await emitter.emit(batch(['a\n']), going)).toMatchObject({
      kind: 'retry',
      reason: `http://127.0.0.1:${port}: nothing is listening (connection refused)`,
    });
  });
});

describe('certificates', () => {
  it('are verified with the configured authority, which reopen reads again', async () => {
    const [authority, other] = await Promise.all([
      CertificateAuthority.create(),
      CertificateAuthority.create(),
    ]);
    const endpoint = await LogplexEndpoint.start({ tls: await authority.issue({ name: 'logplex' }) });
    const path = join(await temporaryDirectory(), 'ca.pem');
    await writeFile(path, other.certificate);
    const { emitter, logs } = await logplex({ url: endpoint.url(), ca_file: path });
    const untrusted = { kind: 'retry', reason: expect.stringMatching(/TLS: .* not trusted$/) };
    expect(await emitter.emit(batch(['a\n']), going)).toMatchObject(untrusted);
    await writeFile(path, authority.certificate);
    await emitter.reopen();
    expect(await emitter.emit(batch(['a\n']), going)).toEqual(DELIVERED);
    await writeFile(path, '');
    await emitter.reopen();
    expect(logs).toEqual([]);

    const { emitter: strict } = await logplex({ url: endpoint.url() });
    expect(await strict.emit(batch(['b\n']), going)).toMatchObject({ kind: 'retry' });
    const { emitter: insecure, logs: warned } = await logplex({ url: endpoint.url(), insecure: true });
    expect(await insecure.emit(batch(['c\n']), going)).toEqual(DELIVERED);
    expect(warned[0]?.msg).toContain('verification is disabled');
    expect(endpoint.texts()).toEqual(['a', 'c']);
  });

  it('must match the host and be valid now', async () => {
    const authority = await CertificateAuthority.create();
    const endpoint = await LogplexEndpoint.start({ tls: await authority.issue({ name: 'logplex' }) });
    const url = endpoint.url().replace('localhost', '127.0.0.2');
    const { emitter } = await logplex({ url, ca: authority.certificate, connect_timeout: '2s' });
    const expired = await LogplexEndpoint.start({
      tls: await authority.issue({ name: 'old', expired: true }),
    });
    const { emitter: late } = await logplex({ url: expired.url(), ca: authority.certificate });
    expect(await late.emit(batch(['a\n']), going)).toMatchObject({
      reason: expect.stringContaining('the certificate has expired'),
    });
    expect(await emitter.emit(batch(['a\n']), going)).toMatchObject({ kind: 'retry' });
    expect(endpoint.requests).toEqual([]);
  });

  it('prevent the start if the CA file is missing', async () => {
    await expect(logplex({ url: 'https://token:t@h/', ca_file: '/no/such/ca.pem' })).rejects.toThrow(
      '/no/such/ca.pem',
    );
  });
});
