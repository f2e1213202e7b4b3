import { describe, expect, it, onTestFinished } from 'vitest';
import { batchOf } from '../../../src/records/batch.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { LogplexEndpoint } from '../../support/logplex-endpoint.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { going, logplex, serveDatabase, tenantSlice } from './emitting.ts';

const DELIVERED = { kind: 'delivered' };

const batch = (...slices: readonly RecordBatch[]) => batchOf(slices);

describe('each identity', () => {
  it('is sent with its own token and label', async () => {
    const endpoint = await LogplexEndpoint.start({ tokens: ['t.a', 't.b', 't.c'] });
    const { directory } = await serveDatabase([
      { i: 'a', t: 't.a' },
      { i: 'b', url: endpoint.url('t.b', '/b'), name: 'bee' },
      { i: '', t: 't.c', name: 'nobody' },
    ]);
    const { emitter } = await logplex({ serve_db_dir: directory, logplex_url: endpoint.url('') });
    const slices = [
      tenantSlice('a', ['one']),
      tenantSlice('b', ['two']),
      tenantSlice('a', ['three']),
      tenantSlice('', ['four']),
    ];
    expect(await emitter.emit(batch(...slices), going)).toEqual(DELIVERED);
    expect(endpoint.texts('t.a')).toEqual(['one\n', 'three\n']);
    expect(endpoint.texts('t.b')).toEqual(['[bee] two\n']);
    expect(endpoint.texts('t.c')).toEqual(['[nobody] four\n']);
    expect(endpoint.requests.map(({ path }) => path).sort()).toEqual(['/b', '/logs', '/logs']);
    expect(endpoint.faults).toEqual([]);
  });

  it('uses the credentials of the logplex URL if it has any', async () => {
    const endpoint = await LogplexEndpoint.start();
    const { directory } = await serveDatabase([{ i: 'a', t: 't.test' }]);
    const logplex_url = endpoint.url('t.test').replace('token:', 'all:');
    const { emitter } = await logplex({ serve_db_dir: directory, logplex_url });
    expect(await emitter.emit(batch(tenantSlice('a', ['one'])), going)).toEqual(DELIVERED);
    const { authorization } = endpoint.accepted[0]?.headers ?? {};
    expect(authorization).toBe(`Basic ${Buffer.from('all:t.test').toString('base64')}`);
  });

  it('can have several serve records, selected by socket', async () => {
    const endpoint = await LogplexEndpoint.start({ tokens: ['t.1', 't.2'] });
    const { directory, serve } = await serveDatabase([
      { i: 'a', p: '/run/1', t: 't.1' },
      { i: 'a', p: '/run/2', t: 't.2' },
    ]);
    const { emitter } = await logplex({ serve_db_dir: directory, logplex_url: endpoint.url('') });
    const by = (socket: string) => tenantSlice('a', [socket], [['postgresql.socket', socket]]);
    expect(await emitter.emit(batch(by('/run/2'), by('/run/1')), going)).toEqual(DELIVERED);
    expect(endpoint.texts('t.1')).toEqual(['/run/1\n']);
    expect(endpoint.texts('t.2')).toEqual(['/run/2\n']);
    expect(await emitter.emit(batch(by('/run/3')), going)).toMatchObject({
      kind: 'rejected',
      reason: 'the serve database has several records for the identity "a", none for this socket',
    });
    await serve([
      { i: 'a', p: '/run/1', t: 't.1' },
      { i: 'a', p: '/run/2', t: 't.1' },
    ]);
    expect(await emitter.emit(batch(by('/run/3')), going)).toEqual(DELIVERED);
  });
});

describe('an identity without a record', () => {
  it('has exactly its log records rejected, before anything is sent', async () => {
    const endpoint = await LogplexEndpoint.start({ tokens: ['t.a'] });
    const { directory } = await serveDatabase([
      { i: 'a', t: 't.a' },
      { i: 'bad', t: 't a' },
    ]);
    const { emitter, metric, logs } = await logplex({
      serve_db_dir: directory,
      logplex_url: endpoint.url(''),
    });
    const slices = [
      tenantSlice('a', ['one', 'two']),
      tenantSlice('x', ['lost', 'lost']),
      tenantSlice('y', ['gone']),
      tenantSlice('a', ['three']),
      tenantSlice('x', ['lost']),
      recordBatch(['a line\n']),
      tenantSlice('bad', ['b']),
    ] as const;
    const [a1, x1, y, a2, x2, line, bad] = slices;
    expect(await emitter.emit(batch(...slices), going)).toEqual({
      kind: 'rejected',
      reason: 'the serve database has no record for the identity "x"',
      records: [2, 3, 6],
    });
    expect(x1.sizes.length + x2.sizes.length).toBe(3);
    expect(await emitter.emit(batch(a1, y, a2, line, bad), going)).toEqual({
      kind: 'rejected',
      reason: 'the serve database has no record for the identity "y"',
      records: [2],
    });
    expect(await emitter.emit(batch(a1, a2, line, bad), going)).toEqual({
      kind: 'rejected',
      reason: expect.stringContaining('postgresql.identity'),
      records: [3],
    });
    expect(await emitter.emit(batch(a1, a2, bad), going)).toEqual({
      kind: 'rejected',
      reason:
        'unusable serve record of the identity "bad": expected a token of 1 to 255 printable ASCII characters without blanks',
      records: [3],
    });
    expect(endpoint.requests).toEqual([]);
    expect(await emitter.emit(batch(a1, a2), going)).toEqual(DELIVERED);
    expect(endpoint.texts()).toEqual(['one\n', 'two\n', 'three\n']);
    expect(await metric('dropped_messages_total')).toBe(6);
    expect(logs.some(({ msg }) => msg.includes('unusable records'))).toBe(true);
  });

  it('is sent after a serve record is added', async () => {
    const endpoint = await LogplexEndpoint.start({ tokens: ['t.a'] });
    const { directory, serve } = await serveDatabase([]);
    const { emitter } = await logplex({ serve_db_dir: directory, logplex_url: endpoint.url('') });
    const slice = tenantSlice('a', ['one']);
    expect(await emitter.emit(batch(slice), going)).toMatchObject({ kind: 'rejected', records: [0] });
    await serve([{ i: 'a', t: 't.a' }]);
    expect(await emitter.emit(batch(slice), going)).toEqual(DELIVERED);
  });
});

describe('a serve database', () => {
  it('that never existed makes all records wait', async () => {
    const { directory, serve } = await serveDatabase();
    const endpoint = await LogplexEndpoint.start({ tokens: ['t.a'] });
    const { emitter, logs } = await logplex({ serve_db_dir: directory, logplex_url: endpoint.url('') });
    const slice = tenantSlice('a', ['one']);
    for (let i = 0; i < 2; i++) {
      expect(await emitter.emit(batch(slice), going)).toEqual({
        kind: 'retry',
        reason: 'serves.loaded cannot be read (ENOENT)',
      });
    }
    expect(logs).toHaveLength(1);
    await serve([{ i: 'a', t: 't.a' }]);
    expect(await emitter.emit(batch(slice), going)).toEqual(DELIVERED);
  });

  it('that becomes invalid leaves the previous version in use', async () => {
    const { directory, write } = await serveDatabase([{ i: 'a', t: 't.a' }]);
    const endpoint = await LogplexEndpoint.start({ tokens: ['t.a'] });
    const { emitter, logs } = await logplex({ serve_db_dir: directory, logplex_url: endpoint.url('') });
    expect(await emitter.emit(batch(tenantSlice('a', ['one'])), going)).toEqual(DELIVERED);
    await write('{"serves": [{"i": "a", "t": "t.secret"');
    expect(await emitter.emit(batch(tenantSlice('a', ['two'])), going)).toEqual(DELIVERED);
    expect(await emitter.emit(batch(tenantSlice('a', ['three'])), going)).toEqual(DELIVERED);
    expect(logs.filter(({ msg }) => msg.includes('Cannot load the serve database'))).toHaveLength(1);
    expect(JSON.stringify(logs)).not.toContain('t.secret');
    expect(endpoint.connections).toBe(1);
  });

  it('that changes does not affect unchanged destinations', async () => {
    const { directory, serve } = await serveDatabase([{ i: 'a', t: 't.a' }]);
    const endpoint = await LogplexEndpoint.start({ tokens: ['t.a', 't.b'] });
    const { emitter, clock } = await logplex({ serve_db_dir: directory, logplex_url: endpoint.url('') });
    endpoint.next.push({ status: 503, headers: { 'Retry-After': '30' } });
    const slices = [tenantSlice('a', ['one']), tenantSlice('b', ['two'])] as const;
    expect(await emitter.emit(batch(slices[0]), going)).toMatchObject({ kind: 'retry', afterMs: 30_000 });
    await serve([
      { i: 'b', t: 't.b' },
      { i: 'a', t: 't.a' },
    ]);
    // Its wait continues, and no other destination waits.
    expect(await emitter.emit(batch(...slices), going)).toMatchObject({ kind: 'retry', afterMs: 30_000 });
    expect(endpoint.texts()).toEqual(['two\n']);
    expect(endpoint.requests).toHaveLength(2);
    await clock.advance(30_000);
    expect(await emitter.emit(batch(...slices), going)).toEqual(DELIVERED);
    expect(endpoint.texts()).toEqual(['two\n', 'one\n']);
  });

  it('with tokens requires logplex_url', async () => {
    const { directory } = await serveDatabase([{ i: 'a', t: 't.a' }]);
    const { emitter } = await logplex({ serve_db_dir: directory });
    expect(await emitter.emit(batch(tenantSlice('a', ['one'])), going)).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('LOGPLEX_URL'),
    });
  });
});

describe('one failing tenant', () => {
  const tokens = ['t.good', 't.bad'];

  async function twoTenants(configuration: object = {}) {
    const endpoint = await LogplexEndpoint.start({ tokens });
    const { directory, serve } = await serveDatabase([
      { i: 'good', t: 't.good' },
      { i: 'bad', t: 't.bad' },
    ]);
    const made = await logplex({ serve_db_dir: directory, logplex_url: endpoint.url(''), ...configuration });
    return { endpoint, serve, ...made };
  }

  const texts = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

  it('neither blocks the other nor causes duplicates for it', async () => {
    const { endpoint, emitter } = await twoTenants();
    endpoint.tokens.delete('t.bad');
    const both = batch(tenantSlice('bad', texts('b', 3)), tenantSlice('good', texts('g', 3)));
    for (let i = 0; i < 3; i++) {
      expect(await emitter.emit(both, going)).toMatchObject({
        kind: 'retry',
        reason: expect.stringMatching(/^http:\/\/localhost:\d+ answered 401/),
      });
    }
    expect(endpoint.texts('t.good')).toEqual(['g0\n', 'g1\n', 'g2\n']);
    endpoint.tokens.add('t.bad');
    expect(await emitter.emit(both, going)).toEqual(DELIVERED);
    expect(endpoint.texts('t.good')).toEqual(['g0\n', 'g1\n', 'g2\n']);
    expect(endpoint.texts('t.bad')).toEqual(['b0\n', 'b1\n', 'b2\n']);
  });

  it('is suspended when its patience is used up, and recovers', async () => {
    const { endpoint, emitter, clock, metric, logs } = await twoTenants({ patience: '20s' });
    endpoint.tokens.delete('t.bad');
    const both = batch(tenantSlice('bad', texts('b', 2)), tenantSlice('good', texts('g', 2)));
    const outcomes: string[] = [];
    let last = await emitter.emit(both, going);
    while (last.kind === 'retry') {
      outcomes.push(last.kind);
      await clock.advance(5_000);
      last = await emitter.emit(both, going);
    }
    expect(outcomes).toHaveLength(4);
    expect(last).toEqual({
      kind: 'rejected',
      reason: expect.stringContaining('answered 401'),
      records: [0, 1],
    });
    expect(await metric('set_aside_destinations')).toBe(1);
    const good = tenantSlice('good', ['more']);
    expect(await emitter.emit(batch(good), going)).toEqual(DELIVERED);

    // No attempt is made for a while: its records become dead letters immediately.
    const before = endpoint.faults.length;
    const later = batch(tenantSlice('good', ['g']), tenantSlice('bad', ['b']));
    expect(await emitter.emit(later, going)).toEqual({
      kind: 'rejected',
      reason: expect.stringMatching(/for "bad" is suspended/),
      records: [1],
    });
    expect(endpoint.faults).toHaveLength(before);

    await clock.advance(30_000);
    expect(await emitter.emit(later, going)).toMatchObject({ kind: 'rejected', records: [1] });
    expect(endpoint.faults).toHaveLength(before + 1);

    endpoint.tokens.add('t.bad');
    await clock.advance(30_000);
    expect(await emitter.emit(later, going)).toEqual(DELIVERED);
    expect(endpoint.texts('t.bad')).toEqual(['b\n']);
    expect(endpoint.texts('t.good')).toEqual(['g0\n', 'g1\n', 'more\n', 'g\n']);
    expect(await metric('set_aside_destinations')).toBe(0);
    const messages = logs.map(({ msg }) => msg);
    expect(messages.filter((msg) => msg.includes('dead letters until it recovers'))).toHaveLength(1);
    expect(messages.filter((msg) => msg.includes('recovered'))).toHaveLength(1);
  });

  it('delays the others once by its patience when it hangs', async () => {
    const { endpoint, emitter, clock } = await twoTenants({ patience: '10s' });
    endpoint.behaviour = ({ token }) => (token === 't.bad' ? 'hang' : undefined);
    const both = batch(tenantSlice('bad', ['b']), tenantSlice('good', ['g']));
    const outcome = emitter.emit(both, going);
    await expect.poll(() => endpoint.requests.length).toBe(2);
    await expect.poll(() => endpoint.texts('t.good')).toEqual(['g\n']);
    await clock.advance(10_000);
    expect(await outcome).toMatchObject({ kind: 'rejected', records: [0] });
    for (let i = 0; i < 5; i++) {
      expect(await emitter.emit(batch(tenantSlice('good', ['h'])), going)).toEqual(DELIVERED);
    }
  });

  it('is retried without limit if it is the only one', async () => {
    const { endpoint, serve, emitter, clock } = await twoTenants({ patience: '1s' });
    await serve([{ i: 'bad', t: 't.bad' }]);
    endpoint.tokens.delete('t.bad');
    const one = batch(tenantSlice('bad', ['b']));
    for (let i = 0; i < 5; i++) {
      expect(await emitter.emit(one, going)).toMatchObject({ kind: 'retry' });
      await clock.advance(60_000);
    }
    endpoint.tokens.add('t.bad');
    expect(await emitter.emit(one, going)).toEqual(DELIVERED);
  });

  it('has its poison records rejected while the other is retried', async () => {
    const { endpoint, emitter } = await twoTenants();
    endpoint.refuses = ({ text }) => text === 'b1\n';
    endpoint.behaviour = ({ token }) => (token === 't.good' ? { status: 503 } : undefined);
    const bad = tenantSlice('bad', texts('b', 3));
    const good = tenantSlice('good', texts('g', 3));
    expect(await emitter.emit(batch(good, bad), going)).toMatchObject({ kind: 'rejected', records: [4] });
    expect(await emitter.emit(batch(good, bad), going)).toMatchObject({ kind: 'rejected', records: [4] });
    endpoint.refuses = () => false;
    expect(await emitter.emit(batch(good, bad), going)).toMatchObject({ kind: 'retry' });
    endpoint.behaviour = () => undefined;
    expect(await emitter.emit(batch(good, bad), going)).toEqual(DELIVERED);
    expect(endpoint.texts('t.bad')).toEqual(['b0\n', 'b2\n', 'b1\n']);
    expect(endpoint.texts('t.good')).toEqual(['g0\n', 'g1\n', 'g2\n']);
  });
});

it('sends to many tenants at once without a warning', async () => {
  const names = Array.from({ length: 100 }, (_, index) => `tenant-${index}`);
  const endpoint = await LogplexEndpoint.start({ tokens: names });
  const { directory } = await serveDatabase(names.map((name) => ({ i: name, t: name })));
  const { emitter } = await logplex({ serve_db_dir: directory, logplex_url: endpoint.url('') });
  const warnings: Error[] = [];
  const listener = (warning: Error) => warnings.push(warning);
  process.on('warning', listener);
  onTestFinished(() => void process.removeListener('warning', listener));
  const slices = names.map((name) => tenantSlice(name, [name]));
  expect(await emitter.emit(batch(...slices), new AbortController().signal)).toEqual(DELIVERED);
  expect(endpoint.texts().sort()).toEqual(names.map((name) => `${name}\n`).sort());
  await new Promise((resolve) => setImmediate(resolve));
  expect(warnings).toEqual([]);
});

it('exposes no secret in outcomes, logs or metrics', async () => {
  const endpoint = await LogplexEndpoint.start({ tokens: [] });
  const { directory, serve } = await serveDatabase([
    { i: 'a', t: 'hidden.a' },
    { i: 'b', url: endpoint.url('hidden.b') },
  ]);
  const { emitter, clock, logs, metrics } = await logplex({
    serve_db_dir: directory,
    logplex_url: endpoint.url('hidden.all'),
    patience: '1s',
  });
  // A server that echoes the secrets.
  endpoint.behaviour = ({ token, headers, messages }) => ({
    status: token === 'hidden.b' ? 400 : 401,
    body: `${token} ${headers.authorization} ${messages[0]?.token}`,
  });
  const outcomes: unknown[] = [];
  for (let i = 0; i < 4; i++) {
    const slices = [tenantSlice('a', ['x']), tenantSlice('b', ['y']), tenantSlice('c', ['z'])];
    outcomes.push(
      await emitter.emit(batch(...slices.slice(0, 2)), going),
      await emitter.emit(batch(...slices), going),
    );
    await clock.advance(2_000);
  }
  await serve([{ i: 'a', t: 'hidden.a with blank' }]);
  outcomes.push(await emitter.emit(batch(tenantSlice('a', ['x'])), going));
  const everything = JSON.stringify([outcomes, logs]) + (await metrics.metrics());
  expect(endpoint.requests.length).toBeGreaterThan(2);
  expect(everything).toContain('[secret]');
  expect(everything).not.toContain('hidden');
  for (const secret of ['hidden.b', 'hidden.all'])
    expect(everything).not.toContain(Buffer.from(`token:${secret}`).toString('base64'));
});
