import { existsSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { logfebe } from '../../../../src/formats/logfebe.ts';
import type { RecordBatch } from '../../../../src/records/record-batch.ts';
import { runCommand } from '../../../../testkit/running-process.ts';
import { type CapturedSink, readAll } from '../../../support/captured-sink.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { febeCapture } from '../../../support/febe-capture.ts';
import { FebeClient } from '../../../support/febe-client.ts';
import { greeting, recordFrame } from '../../../support/febe-frames.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { messagesOf, PATIENT, preparedSource } from './prepared-source.ts';

/** The messages of all records in the streams. */
async function messages(sink: CapturedSink): Promise<string[]> {
  return (await batchesOf(sink)).flatMap(messagesOf);
}

async function batchesOf(sink: CapturedSink): Promise<RecordBatch[]> {
  return (await Promise.all([...sink.streams.values()].map((stream) => readAll(stream)))).flat();
}

const untilMessages = (sink: CapturedSink, expected: readonly string[]) =>
  vi.waitFor(async () => expect((await messages(sink)).sort()).toEqual([...expected].sort()), PATIENT);

const untilListening = (path: string) => vi.waitFor(() => expect(existsSync(path)).toBe(true), PATIENT);

describe('the source pg-logfebe', () => {
  it('receives records of a real PostgreSQL in chunks of any size over real sockets', {
    timeout: 120_000,
  }, async () => {
    const { start, serve, path, sink, stop, metric } = await preparedSource();
    await serve({ i: 'real identity', p: path('real'), t: 'SECRET' });
    await start();
    const { chunks, connections } = febeCapture();
    const expected = connections.flatMap(({ records }) =>
      records.map(({ ErrMessage }) => String(ErrMessage)),
    );
    const chunkings = [1, 2, 3, 5, 7, 64, 1000, 65_536];
    for (const chunkBytes of chunkings) {
      for (const bytes of chunks) {
        const client = await FebeClient.connect(path('real'));
        await client.send(bytes, chunkBytes);
        await client.end();
      }
    }
    await untilMessages(
      sink,
      chunkings.flatMap(() => expected),
    );
    expect(await metric('faults_total')).toBe(0);
    await stop();
  });

  it('describes the sender in the resource, and does not change the bytes', async () => {
    const { start, serve, path, sink } = await preparedSource();
    await serve({ i: 'a', p: path('a'), t: 'SECRET', name: 'db1' });
    await start();
    const client = await FebeClient.greeted(path('a'), 'a', 'PG-13.2 (x)/logfebe-1');
    const frame = recordFrame('hello');
    await client.send(frame);
    await untilMessages(sink, ['hello']);
    const [batch] = await batchesOf(sink);
    expect(batch?.format).toBe('logfebe');
    expect(Buffer.from(batch?.data ?? [])).toEqual(frame.subarray(5));
    expect(Object.fromEntries(batch?.resource ?? [])).toEqual({
      'host.name': 'h',
      'service.name': 'db1',
      'db.system.name': 'postgresql',
      'postgresql.version': '13.2 (x)',
      'postgresql.identity': 'a',
      'postgresql.socket': path('a'),
    });
  });

  it('reports the state of each listener', async () => {
    const { start, serve, path, source } = await preparedSource();
    const blocked = path('missing/b');
    await serve({ i: 'a', p: path('a'), t: 'SECRET' }, { i: 'b', p: blocked, t: 'SECRET' });
    await start();
    const client = await FebeClient.greeted(path('a'), 'a', 'PG-13.2 (x)/logfebe-1');
    await client.send(recordFrame('hello'));
    await vi.waitFor(() => expect(source.status().listeners?.[0]?.records).toBe(1), PATIENT);
    const [open, closed] = source.status().listeners ?? [];
    expect(open).toMatchObject({
      ...{
        listener: `${path('a')} (a)`,
        state: 'listening',
        address: path('a'),
        connections: 1,
        clients: [],
      },
      dropped: { noRoom: 0 },
    });
    expect(open?.bytes).toBeGreaterThan(0);
    expect(closed).toMatchObject({ listener: `${blocked} (b)`, state: 'closed', records: 0 });
    expect(closed?.failure).toContain(blocked);
    expect(JSON.stringify(source.status())).not.toContain('SECRET');
    await vi.waitFor(
      () => expect(source.status().streams[0]?.origin).toBe(source.status().listeners?.[0]?.listener),
      PATIENT,
    );
    await client.end();
  });

  it('keeps records of different servers in different streams', async () => {
    const { start, serve, path, sink } = await preparedSource();
    await serve('a', 'b');
    await start();
    for (const name of ['a', 'b']) await (await FebeClient.greeted(path(name), name)).record(`from ${name}`);
    await untilMessages(sink, ['from a', 'from b']);
    expect(sink.streams.size).toBe(2);
  });

  it('closes a connection that violates the protocol with the reason, and no other connection', async () => {
    const { start, serve, path, sink, log, metric } = await preparedSource();
    await serve('a');
    await start();
    const good = await FebeClient.greeted(path('a'), 'a');
    const broken: [Buffer, RegExp][] = [
      [Buffer.from('4c00000004', 'hex'), /expected a frame of type V, got type 0x4c/],
      [Buffer.from('GET / HTTP/1.1\r\n'), /expected a frame of type V, got type 0x47/],
      [greeting('a', 'PG-7.4.15/logfebe-1'), /PostgreSQL must be 9.2 or newer/],
      [greeting('b'), /the identity is "b", but must be "a"/],
      [greeting('wrong', undefined, 'SECRET'), /the identity is "wrong"/],
      [
        Buffer.concat([greeting('a'), Buffer.from('4cffffffff', 'hex')]),
        /length of a frame must be at most \d+, got 4294967295/,
      ],
      [
        Buffer.concat([greeting('a'), recordFrame('lost').fill('Q', 33, 34)]),
        /field 2 of 23 \(UserName\) must begin with N or P/,
      ],
    ];
    for (const [bytes, reason] of broken) {
      const client = await FebeClient.connect(path('a'));
      await client.send(bytes);
      await vi.waitFor(() => expect(client.closed).toBe(true), PATIENT);
      const lines = log('Closed a PostgreSQL connection: it violated the protocol');
      expect(lines.at(-1)).toMatchObject({
        level: 40,
        path: path('a'),
        reason: expect.stringMatching(reason) as string,
      });
      expect(JSON.stringify(lines)).not.toContain('SECRET');
    }
    const torn = await FebeClient.greeted(path('a'), 'a');
    await torn.send(recordFrame('x').subarray(0, 30));
    await torn.end();
    await vi.waitFor(async () => expect(await metric('faults_total')).toBe(broken.length + 1), PATIENT);
    await good.record('still here');
    await untilMessages(sink, ['still here']);
    expect(await metric('connections')).toBe(1);
  });

  it('closes a connection that does not send its identity within five seconds', async () => {
    const clock = new FakeClock();
    const { start, serve, path, log } = await preparedSource({ clock });
    await serve('a');
    await start();
    const silent = await FebeClient.connect(path('a'));
    const half = await FebeClient.connect(path('a'));
    await half.send(greeting('a').subarray(0, 20));
    const good = await FebeClient.greeted(path('a'), 'a');
    await vi.waitFor(() => expect(log('The first PostgreSQL process connected')).toHaveLength(1), PATIENT);
    await clock.advance(4900);
    expect([silent.closed, half.closed, good.closed]).toEqual([false, false, false]);
    await vi.waitFor(async () => {
      await clock.advance(200);
      expect([silent.closed, half.closed, good.closed]).toEqual([true, true, false]);
    }, PATIENT);
    expect(
      log('Closed a PostgreSQL connection: it did not send its version and identity in time'),
    ).toHaveLength(2);
  });

  it('accepts a submitted list without waiting for the poll, again and again', async () => {
    const { start, serve, path, log } = await preparedSource({ pollIntervalMs: 3_600_000 });
    await start();
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      await serve(name);
      await vi.waitFor(() => expect(log('Listening for PostgreSQL')).toHaveLength(index + 1), PATIENT);
      const client = await FebeClient.greeted(path(name), name);
      await client.end();
    }
  });

  it('counts records that did not arrive', async () => {
    const { start, serve, path, metric, sink } = await preparedSource();
    await serve('a');
    await start();
    const client = await FebeClient.greeted(path('a'), 'a');
    await client.record('starts above 1', { SeqNum: 7 });
    await client.record('no gap', { SeqNum: 8 });
    await client.record('two missing', { SeqNum: 11 });
    await client.end();
    await untilMessages(sink, ['starts above 1', 'no gap', 'two missing']);
    const again = await FebeClient.greeted(path('a'), 'a');
    await again.record('one missing in between', { SeqNum: 13 });
    const other = await FebeClient.greeted(path('a'), 'a');
    await other.record('another process', { SeqNum: 100, Pid: 5 });
    await vi.waitFor(async () => expect(await metric('records_total')).toBe(5), PATIENT);
    expect(await metric('missed_records_total')).toBe(3);
  });

  it('never makes a sender wait, and reports lost records afterwards', { timeout: 120_000 }, async () => {
    const { start, serve, path, sink, metric } = await preparedSource(
      {},
      { journal: { maxBytes: 2 * 1024 * 1024 } },
    );
    await serve('a');
    await start();
    const clients = await Promise.all(Array.from({ length: 10 }, () => FebeClient.greeted(path('a'), 'a')));
    // Ten times the limit of the journal, and no publisher reads from it.
    const burst = Buffer.concat(Array.from({ length: 200 }, () => recordFrame('x'.repeat(10_000))));
    await Promise.all(clients.map((client) => client.send(burst)));
    await vi.waitFor(async () => expect(await metric('records_total')).toBe(2000), PATIENT);
    const lost = (await metric('journal_lost_records_total')) ?? 0;
    expect(lost).toBeGreaterThan(1700);

    await vi.waitFor(async () => expect(await metric('journal_records_total')).toBe(2000 - lost), PATIENT);
    expect((await messages(sink)).every((message) => message.startsWith('xxx'))).toBe(true);
    sink.stream.accept(1e12);
    await untilMessages(sink, [`mega-collector lost ${lost} log records of this server`]);
    const [batch] = await batchesOf(sink);
    const report = logfebe.parse(batch?.data ?? Buffer.alloc(0), batch);
    expect(report).toMatchObject({ severityText: 'WARNING', severityNumber: 13 });
    expect(report.attributes.get('detail')).toMatch(
      /^They had \d+ bytes and arrived from .* UTC to .* UTC, when/,
    );
    expect(report.attributes.get('application_name')).toBe('mega-collector');
  });

  it('holds two thousand connections', { timeout: 120_000 }, async () => {
    const { start, serve, path, metric, sink } = await preparedSource();
    await serve('a');
    await start();
    const clients: FebeClient[] = [];
    while (clients.length < 2000) {
      const more = Array.from({ length: 100 }, () => FebeClient.greeted(path('a'), 'a'));
      clients.push(...(await Promise.all(more)));
      await vi.waitFor(async () => expect(await metric('connections')).toBe(clients.length), PATIENT);
    }
    await Promise.all(clients.map((client, i) => client.record(`${i}`, { Pid: i })));
    await untilMessages(
      sink,
      clients.map((_, i) => `${i}`),
    );
    expect(await metric('connections')).toBe(2000);
  });
});

describe('the listeners of pg-logfebe', () => {
  it('open, stay and close with the serve database', async () => {
    const { start, serve, path, sink, log } = await preparedSource();
    await serve('stays', 'goes');
    await start();
    const stays = await FebeClient.greeted(path('stays'), 'stays');
    const goes = await FebeClient.greeted(path('goes'), 'goes');
    await goes.record('last words');
    await untilMessages(sink, ['last words']);
    await serve(
      { i: 'stays', p: path('stays'), url: 'https://token:other@example.com', name: 'new name' },
      'comes',
    );
    await vi.waitFor(() => expect(goes.closed).toBe(true), PATIENT);
    expect(existsSync(path('goes'))).toBe(false);
    await untilListening(path('comes'));
    expect(stays.closed).toBe(false);
    await stays.record('still here');
    await untilMessages(sink, ['last words', 'still here']);
    const batches = await batchesOf(sink);
    expect(batches.map(({ resource }) => resource.get('service.name'))).toContain('new name');
    expect(log('Loaded the serve database').at(-1)).toMatchObject({ tenants: 2 });
  });

  it('read the bytes already sent before they close', async () => {
    const { start, serve, path, sink, source } = await preparedSource();
    await serve('a');
    await start();
    const client = await FebeClient.greeted(path('a'), 'a');
    await client.record('first');
    await untilMessages(sink, ['first']);
    // In the kernel, and not read yet.
    for (let number = 0; number < 100; number++) client.socket.write(recordFrame(`${number}`));
    await source.stop(AbortSignal.timeout(10_000));
    await untilMessages(sink, ['first', ...Array.from({ length: 100 }, (_, number) => `${number}`)]);
  });

  it('close connections when the identity of a path changes', async () => {
    const { start, serve, path, sink } = await preparedSource();
    await serve('a');
    await start();
    const old = await FebeClient.greeted(path('a'), 'a');
    await serve({ i: 'b', p: path('a'), t: 'SECRET' });
    await vi.waitFor(() => expect(old.closed).toBe(true), PATIENT);
    const client = await vi.waitFor(() => FebeClient.greeted(path('a'), 'b'), PATIENT);
    await client.record('new');
    await untilMessages(sink, ['new']);
  });

  it('stay open when a list is rejected', async () => {
    const { start, serve, path, lines, directory, sink } = await preparedSource();
    await serve('a');
    await start();
    const client = await FebeClient.greeted(path('a'), 'a');
    await writeFile(join(directory, 'serves.new'), '{"serves": [{"t": "SECRET"}]}');
    await vi.waitFor(() => expect(existsSync(join(directory, 'last_error'))).toBe(true), PATIENT);
    await vi.waitFor(() =>
      expect(lines.filter(({ msg }) => msg.startsWith('Rejected serves.new: '))).toHaveLength(1),
    );
    await client.record('unmoved');
    await untilMessages(sink, ['unmoved']);
  });

  it('have the configured mode, and are removed at the end', async () => {
    const { start, serve, path, stop } = await preparedSource({ socketMode: 0o640 });
    await serve('a');
    await start();
    expect((await stat(path('a'))).mode & 0o777).toBe(0o640);
    await stop();
    expect(existsSync(path('a'))).toBe(false);
  });

  it('replace a socket without a listening process, and no other file', async () => {
    const { start, serve, path, log, directory } = await preparedSource();
    const script = `require('net').createServer().listen('${path('stale')}', () => process.kill(process.pid, 'SIGKILL'))`;
    await runCommand({ name: 'node', command: process.execPath, args: ['-e', script] }).catch(() => {});
    expect(existsSync(path('stale'))).toBe(true);
    await writeFile(path('file'), 'precious');
    const alive = createServer().listen(path('alive'));
    onTestFinished(() => void alive.close());
    await serve('stale', 'file', 'alive', { i: 'x', p: join(directory, 'no/such/directory'), t: 'SECRET' });
    await start();
    await FebeClient.greeted(path('stale'), 'stale');
    const failed = 'Cannot listen for PostgreSQL; trying again';
    const reasons = new Map(log(failed).map((line) => [line.identity, line.reason]));
    expect(reasons.get('file')).toContain('exists and is not a socket');
    expect(reasons.get('alive')).toContain('another process uses the socket');
    expect(reasons.get('x')).toBeDefined();
    expect((await stat(path('file'))).isFile()).toBe(true);
    alive.close();
    await vi.waitFor(() => FebeClient.greeted(path('alive'), 'alive'), PATIENT);
  });

  it('open again for the loaded list after a restart, and end the streams of other tenants', async () => {
    const directory = await temporaryDirectory();
    const first = await preparedSource({}, { directory });
    await first.serve('a', 'b');
    await first.start();
    for (const name of ['a', 'b'])
      await (await FebeClient.greeted(first.path(name), name)).record(`from ${name}`);
    await untilMessages(first.sink, ['from a', 'from b']);
    await first.stop();

    const second = await preparedSource({}, { directory });
    await second.serve('a');
    await second.start();
    await untilMessages(second.sink, ['from a', 'from b']);
    await (await FebeClient.greeted(second.path('a'), 'a')).record('again');
    await untilMessages(second.sink, ['from a', 'from b', 'again']);
    expect(second.sink.streams.size).toBe(2);
    const ended = await Promise.all(
      [...second.sink.streams.values()].map((stream) => stream.read(1e9, Buffer.alloc(9))),
    );
    expect(ended.map(({ kind }) => kind).sort()).toEqual(['ended', 'waiting']);
  });
});
