import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, open, rename, rmdir, truncate, writeFile } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, onTestFinished, test } from 'vitest';
import { batchOf } from '../../../src/records/batch.ts';
import { type RecordBatch, sliceBytes, sliceRecords } from '../../../src/records/record-batch.ts';
import type { StreamId } from '../../../src/records/stream-id.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { COUNT, deliver, emitterOn, never, query, startedOn, temporaryPath } from './emitting.ts';

const BODIES = 'select body from log_records order by rowid';
const RANGES = 'select stream, ranges from streams order by stream';

async function bodiesOf(emitter: Parameters<typeof query>[0]): Promise<unknown[]> {
  return (await query(emitter, BODIES)).map(({ body }) => body);
}

describe('rows', () => {
  test('contain the values of the record, each in its column', async () => {
    const emitter = await startedOn(await temporaryPath());
    const line =
      '192.0.2.7 - bob [20/Nov/2026:11:00:00 +0000] "GET /api/users?x=1 HTTP/1.1" 404 51299999999 "-" "curl \u00e9"\n';
    await deliver(
      emitter,
      recordBatch([line, 'none of these\n'], {
        format: 'combined',
        stream: '8899aabbccddeeff0011223344556677' as StreamId,
        start: 2 ** 40,
        observedTimeUnixNano: 1_700_000_000_123_456_789n,
        resource: new Map([
          ['host.name', 'web-1'],
          ['service.name', 'shop'],
          ['log.file.path', '/var/log/access.log'],
          ['extra', 'more than twelve bytes'],
        ]),
      }),
    );
    const rows = await query(
      emitter,
      'select *, epoch_us(time) as t, epoch_us(observed_time) as o from log_records order by position',
    );
    expect(rows[0]).toMatchObject({
      t: Date.UTC(2026, 10, 20, 11) * 1000,
      o: 1_700_000_000_123_456,
      severity_number: 13,
      severity_text: null,
      host: 'web-1',
      service: 'shop',
      source: '/var/log/access.log',
      format: 'combined',
      body: line.trimEnd(),
      stream: '8899aabb-ccdd-eeff-0011-223344556677',
      position: 2 ** 40,
      client_address: '192.0.2.7',
      user_name: 'bob',
      http_request_method: 'GET',
      url_path: '/api/users',
      network_protocol_version: '1.1',
      http_response_status_code: 404,
      http_response_body_size: 51_299_999_999,
    });
    expect(JSON.parse(String(rows[0]?.attributes))).toEqual({
      extra: 'more than twelve bytes',
      'url.query': 'x=1',
      'user_agent.original': 'curl \u00e9',
    });
    expect(rows[1]).toMatchObject({
      t: 1_700_000_000_123_456,
      severity_number: null,
      body: 'none of these',
      position: 2 ** 40 + Buffer.byteLength(line),
      client_address: null,
      http_response_status_code: null,
    });
  });

  test('are shown with all their attributes together', async () => {
    const emitter = await startedOn(await temporaryPath());
    const line = '::1 - - [20/Nov/2026:11:00:00 +0000] "GET /a HTTP/1.1" 200 - "-" "x"\n';
    await deliver(emitter, recordBatch([line, 'plain\n'], { format: 'combined', resource: new Map() }));
    const rows = await query(emitter, 'select attributes from logs order by position');
    expect(rows.map(({ attributes }) => JSON.parse(String(attributes)))).toEqual([
      {
        'client.address': '::1',
        'http.request.method': 'GET',
        'url.path': '/a',
        'network.protocol.version': '1.1',
        'http.response.status_code': 200,
        'user_agent.original': 'x',
      },
      { 'megacollector.parse_error': expect.any(String) },
    ]);
  });

  test('are in order of arrival, with the data of their flush', async () => {
    const emitter = await startedOn(await temporaryPath());
    const records = lines(10_000);
    const batch = recordBatch(records);
    await deliver(emitter, batch);
    expect(await bodiesOf(emitter)).toEqual(records.map((record) => record.trimEnd()));
    expect(await query(emitter, RANGES)).toMatchObject([{ ranges: `[[0,${batch.data.length}]]` }]);
    const [writer] = await query(emitter, 'select writer, last_flush from writers');
    expect(writer).toMatchObject({ last_flush: 1 });
    expect(
      await query(
        emitter,
        'select writer, flush, range_start, range_end, epoch_us(min_time) as a, epoch_us(max_time) as b from stored_ranges',
      ),
    ).toEqual([
      {
        writer: writer?.writer,
        flush: 1,
        range_start: 0,
        range_end: batch.data.length,
        a: 1_700_000_000_000_000,
        b: 1_700_000_000_000_000,
      },
    ]);
    expect(await query(emitter, 'select flush, epoch_us(minute) as m from touched_minutes')).toEqual([
      { flush: 1, m: 1_699_999_980_000_000 },
    ]);
  });
});

describe('exactly once', () => {
  test('does not store records again, in one flush or in another', async () => {
    const path = await temporaryPath();
    const emitter = await startedOn(path);
    const batch = recordBatch(lines(100));
    await emitter.emit(batchOf([batch, batch]), never);
    await emitter.emit(batchOf([sliceRecords(batch, 20, 40)]), never);
    await deliver(emitter, batch);
    await deliver(emitter, batch);
    await emitter.stop(AbortSignal.timeout(5000));
    const again = await startedOn(path);
    await deliver(again, batch);
    expect(await query(again, COUNT)).toEqual([{ n: 100, distinct_n: 100 }]);
  });

  test('stores only the new part of an overlapping batch', async () => {
    const emitter = await startedOn(await temporaryPath());
    const whole = recordBatch(['aaaa\n', 'bbbb\n', 'cccc\n', 'dddd\n']);
    await deliver(emitter, sliceBytes(whole, 7, 12));
    await deliver(emitter, whole);
    expect(await query(emitter, 'select position, body from log_records order by position')).toEqual([
      { position: 0, body: 'aaaa' },
      { position: 5, body: 'bb' },
      { position: 7, body: 'bb' },
      { position: 10, body: 'cc' },
      { position: 12, body: 'cc' },
      { position: 15, body: 'dddd' },
    ]);
    expect(await query(emitter, RANGES)).toMatchObject([{ ranges: '[[0,20]]' }]);
  });

  test('a gap is kept, and records that fill it are stored', async () => {
    const emitter = await startedOn(await temporaryPath());
    const whole = recordBatch(lines(10));
    const [first, gap, last] = [
      sliceRecords(whole, 0, 2),
      sliceRecords(whole, 2, 5),
      sliceRecords(whole, 5, 10),
    ] as const;
    await deliver(emitter, first, last);
    expect(await query(emitter, RANGES)).toMatchObject([
      {
        ranges: JSON.stringify([
          [0, gap.start],
          [last.start, whole.data.length],
        ]),
      },
    ]);
    await deliver(emitter, gap);
    expect(await query(emitter, COUNT)).toEqual([{ n: 10, distinct_n: 10 }]);
  });

  test('drops records that were not flushed when the emitter stops', async () => {
    const path = await temporaryPath();
    const emitter = await startedOn(path);
    await deliver(emitter, recordBatch(['kept\n']));
    await emitter.emit(batchOf([recordBatch(['lost\n'])]), never);
    await emitter.stop(AbortSignal.timeout(5000));
    expect(await bodiesOf(await startedOn(path))).toEqual(['kept']);
  });

  test('rolls back everything since the last flush after a failure, and stores it when it is emitted again', async () => {
    const emitter = await startedOn(await temporaryPath());
    await deliver(emitter, recordBatch(['before\n']));
    const batch = recordBatch(lines(3));
    await emitter.emit(batchOf([batch]), never);
    const broken = { ...recordBatch(['x\n']), stream: 'no stream at all' as StreamId };
    const outcome = await emitter.emit(batchOf([broken]), never);
    expect(outcome).toMatchObject({ kind: 'retry', rolledBack: true, reason: expect.stringMatching(/\w/) });
    expect(await bodiesOf(emitter)).toEqual(['before']);
    await deliver(emitter, batch);
    expect(await bodiesOf(emitter)).toEqual(['before', 'line 0', 'line 1', 'line 2']);
  });

  test('a thousand streams in one flush', async () => {
    const emitter = await startedOn(await temporaryPath());
    const batches = Array.from({ length: 1000 }, () => recordBatch(lines(2)));
    await deliver(emitter, ...batches);
    await deliver(emitter, ...batches);
    expect(await query(emitter, COUNT)).toEqual([{ n: 2000, distinct_n: 2000 }]);
    expect(await query(emitter, 'select count(*) as n from streams')).toEqual([{ n: 1000 }]);
  });
});

describe('a file that cannot be used', () => {
  const small = recordBatch(lines(3));

  async function refused(path: string, pattern: RegExp): Promise<ReturnType<typeof emitterOn>> {
    const emitter = emitterOn(path);
    await emitter.start();
    expect(await emitter.emit(batchOf([small]), never)).toMatchObject({
      kind: 'retry',
      reason: expect.stringMatching(pattern),
    });
    await expect(query(emitter, 'select 1')).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(pattern),
    });
    return emitter;
  }

  /** A file with rows, and a copy of it and its log as they were before the last checkpoint. */
  async function written(): Promise<{ path: string; batch: RecordBatch }> {
    const path = await temporaryPath();
    const emitter = await startedOn(path);
    const batch = recordBatch(lines(20_000, 'so that it takes a few blocks'));
    await deliver(emitter, batch);
    await copyFile(path, `${path}.live`);
    await copyFile(`${path}.wal`, `${path}.live.wal`);
    await emitter.stop(AbortSignal.timeout(5000));
    return { path, batch };
  }

  test('because it is not a database: reports this until the file is moved away', async () => {
    const path = await temporaryPath();
    await writeFile(path, 'this is no database\n'.repeat(1000));
    const emitter = await refused(path, /not a valid DuckDB database file.*move it/);
    await rename(path, `${path}.away`);
    await deliver(emitter, small);
    expect(await query(emitter, COUNT)).toEqual([{ n: 3, distinct_n: 3 }]);
  });

  test('because its beginning is damaged', async () => {
    const { path } = await written();
    await overwrite(path, 4096, 'garbage '.repeat(50));
    await refused(path, /Corrupt.*move it/);
  });

  test('because its log is damaged', async () => {
    const { path } = await written();
    await overwrite(`${path}.live.wal`, 100_000, 'garbage '.repeat(50));
    await refused(`${path}.live`, /WAL.*move it/);
  });

  test('because it is the database of another program', async () => {
    const path = await temporaryPath();
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run('create table theirs (a integer)');
    connection.disconnectSync();
    instance.closeSync();
    await refused(path, /the database of another program/);
  });

  test('because a newer version of this program has written it', async () => {
    const { path } = await written();
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    await connection.run('update mega_collector_store set version = 99');
    connection.disconnectSync();
    instance.closeSync();
    await refused(path, /version 99/);
  });

  test('because another emitter of this process has opened it', async () => {
    const path = await temporaryPath();
    const first = await startedOn(path);
    const second = await refused(path, /still open in this process/);
    await first.stop(AbortSignal.timeout(5000));
    await deliver(second, small);
  });

  test('because another process has opened it', async () => {
    const path = await temporaryPath();
    const holder = await holdOpen(path);
    const emitter = await refused(path, /lock.*Another process has opened it/);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await deliver(emitter, small);
  });

  test('because its directory cannot be created', async () => {
    const path = await temporaryPath();
    await mkdir(path);
    const emitter = await refused(path, /directory/);
    await rmdir(path);
    await deliver(emitter, small);
  });

  test.each([0, 100, 4096, 8192])(
    'but not because a process was killed when it had %i bytes',
    async (bytes) => {
      const { path } = await written();
      await truncate(path, bytes);
      const emitter = await startedOn(path);
      await deliver(emitter, small);
      expect(await query(emitter, COUNT)).toEqual([{ n: 3, distinct_n: 3 }]);
    },
  );

  test('a damaged block fails only the queries that need it', async () => {
    const { path } = await written();
    // The checksum of the second block.
    await overwrite(path, 3 * 4096 + 256 * 1024, 'garbage '.repeat(50));
    const emitter = await startedOn(path);
    await deliver(emitter, small);
    await expect(query(emitter, 'select max(length(body)) from log_records')).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/Corrupt.*move it/),
    });
    expect(await query(emitter, 'select count(*) as n from log_records')).toEqual([{ n: 20_003 }]);
  });

  test('keeps the records in its log after a kill', async () => {
    const { path, batch } = await written();
    const emitter = await startedOn(`${path}.live`);
    await deliver(emitter, batch);
    expect(await query(emitter, COUNT)).toEqual([{ n: 20_000, distinct_n: 20_000 }]);
  });
});

/** Another process that has this file open. */
async function holdOpen(path: string): Promise<ChildProcess> {
  const script = `const { DuckDBInstance } = require('@duckdb/node-api');
    DuckDBInstance.create(process.argv[1]).then((instance) => {
      globalThis.instance = instance;
      setInterval(() => {}, 1000);
      process.stdout.write('open');
    });`;
  const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

async function overwrite(path: string, position: number, text: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(text, position);
  await file.close();
}
