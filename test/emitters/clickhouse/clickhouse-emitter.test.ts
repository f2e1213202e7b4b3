import { once } from 'node:events';
import { createServer, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { clickhouseType } from '../../../src/emitters/clickhouse/type.ts';
import type { Emitter } from '../../../src/emitters/emitter.ts';
import { DELIVERED } from '../../../src/emitters/outcome.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { endOf, type RecordBatch, sliceRecords } from '../../../src/records/record-batch.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import type { OwnClickHouse } from '../../../testkit/clickhouse/own-clickhouse.ts';
import { CLICKHOUSE_MISSING, startClickHouse } from '../../support/clickhouse-server.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

const never = new AbortController().signal;
const PASSWORD = 'not to be shown';

describe.skipIf(CLICKHOUSE_MISSING !== undefined)(`the emitter clickhouse in ClickHouse`, () => {
  let server: OwnClickHouse;
  let databases = 0;
  const cleanUps: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    server = await startClickHouse((cleanUp) => void cleanUps.push(cleanUp), PASSWORD);
  }, 60_000);
  afterAll(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });

  const newDatabase = () => `emitter_${++databases}`;

  async function emitterOf(database: string, settings: object = {}) {
    const value = { url: server.url(), database, password: PASSWORD, fsync: false, ...settings };
    const [configured] = clickhouseType.parse(JSON.stringify(value));
    if (configured === undefined) throw new Error('No emitter is configured.');
    const environment = emitterEnvironment({ clock: systemClock });
    const emitter = await clickhouseType.create(configured.configuration, environment);
    onTestFinished(() => emitter.stop(AbortSignal.timeout(5000)));
    await emitter.start();
    return { emitter, logs: environment.logs, metrics: environment.metrics };
  }

  async function store(emitter: Emitter, ...slices: readonly RecordBatch[]) {
    expect(await emitter.emit(batchOf(slices), never)).toEqual(DELIVERED);
    return await emitter.flush(never);
  }

  /** `rows`: also those that are not merged yet. */
  async function counted(database: string) {
    const [found] = await server.sql(
      `select count(*) as rows, count(distinct stream, position) as records, (select count(*) from ${database}.logs) as shown
        from ${database}.log_records format JSONEachRow`,
    );
    return found;
  }

  async function notes(database: string) {
    return await server.sql(
      `select range_start, range_end from ${database}.stored_ranges final join ${database}.writers final using (writer)
        where flush <= last_flush order by range_start format JSONEachRow`,
    );
  }

  test('inserts only the records that the process before has not stored', async () => {
    const database = newDatabase();
    const batch = recordBatch(lines(100));
    const { emitter: first } = await emitterOf(database);
    expect(await store(first, sliceRecords(batch, 0, 60))).toEqual(DELIVERED);
    const { emitter: second } = await emitterOf(database);
    expect(await store(second, sliceRecords(batch, 0, 40))).toEqual(DELIVERED);
    expect(await store(second, sliceRecords(batch, 40, 100))).toEqual(DELIVERED);
    expect(await counted(database)).toEqual({ rows: 100, records: 100, shown: 100 });
  });

  test('compares a stream with the table once after a start, and stores what is missing before its end', async () => {
    const database = newDatabase();
    const batch = recordBatch(lines(100));
    const { emitter: first } = await emitterOf(database);
    expect(await store(first, sliceRecords(batch, 0, 10))).toEqual(DELIVERED);
    // Of another aggregator, before a part of the stream that it has not received.
    expect(await store(first, sliceRecords(batch, 20, 60))).toEqual(DELIVERED);
    const { emitter: second, metrics } = await emitterOf(database);
    for (const [from, to] of [
      [5, 30],
      [30, 40],
      [60, 80],
      [80, 100],
    ] as const)
      expect(await store(second, sliceRecords(batch, from, to))).toEqual(DELIVERED);
    expect(await counted(database)).toEqual({ rows: 100, records: 100, shown: 100 });
    const comparisons = await metrics.getSingleMetricAsString('aggregator_emitter_clickhouse_checks_total');
    // The records up to 60, in two flushes.
    expect(comparisons).toMatch(/\} 2$/m);
  });

  test('accepts no more records while two parts are in memory', async () => {
    const database = newDatabase();
    const slow = await forgetfulProxy(server.port);
    const { emitter } = await emitterOf(database, { url: `http://127.0.0.1:${slow.port}` });
    expect(await store(emitter, recordBatch(['first\n']))).toEqual(DELIVERED);
    const answer = slow.holdInserts();
    const slice = (turn: number) =>
      recordBatch(
        Array.from({ length: 9 }, (_, index) => `${turn} ${index} ${'x'.repeat(2_000_000)}\n`),
        {
          start: 1000 + turn * 100_000_000,
        },
      );
    let accepted = 0;
    const emitting = (async () => {
      for (let turn = 0; turn < 6; turn++) {
        expect(await emitter.emit(batchOf([slice(turn)]), never)).toEqual(DELIVERED);
        accepted++;
      }
    })();
    await expect.poll(() => slow.heldInserts, { timeout: 20_000 }).toBe(2);
    await expect.poll(() => accepted, { timeout: 20_000 }).toBe(3);
    // No INSERT is answered, so nothing more can begin.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([slow.heldInserts, accepted]).toEqual([2, 3]);
    answer();
    await emitting;
    expect(await emitter.flush(never)).toEqual(DELIVERED);
    expect(await counted(database)).toEqual({ rows: 55, records: 55, shown: 55 });
  });

  test('writes the notes that a crash has left out, and stores no record again', async () => {
    const database = newDatabase();
    const batch = recordBatch(lines(10));
    const { emitter: first } = await emitterOf(database);
    expect(await store(first, batch)).toEqual(DELIVERED);
    await server.sql(`truncate table ${database}.writers`);
    expect(await notes(database)).toEqual([]);
    const { emitter: second } = await emitterOf(database);
    expect(await store(second, batch)).toEqual(DELIVERED);
    expect(await notes(database)).toEqual([{ range_start: 0, range_end: endOf(batch) }]);
    expect(await counted(database)).toEqual({ rows: 10, records: 10, shown: 10 });
  });

  test('shows a record once that two aggregators have stored', async () => {
    const database = newDatabase();
    const batch = recordBatch(lines(10));
    const [{ emitter: one }, { emitter: other }] = [await emitterOf(database), await emitterOf(database)];
    // The first 512 MiB are compared with the table, so the rows of the other one are copied instead.
    expect(await store(one, batch)).toEqual(DELIVERED);
    await server.sql(`system stop merges ${database}.log_records`);
    await server.sql(`insert into ${database}.log_records select * from ${database}.log_records`);
    expect(await store(other, recordBatch(['other\n']))).toEqual(DELIVERED);
    const found = await counted(database);
    expect(found).toEqual({ rows: 21, records: 11, shown: 11 });
    const rows = await other.database?.run(
      [
        {
          text: 'select count(*) as records from log_records where time >= $1::timestamptz',
          values: ['1970-01-02'],
        },
      ],
      { timeoutMs: 10_000, isReadOnly: true },
    );
    expect(rows).toEqual([[{ records: 11 }]]);
  });

  test('stores records once when answers to an INSERT are lost', async () => {
    const database = newDatabase();
    const forgetful = await forgetfulProxy(server.port);
    const { emitter } = await emitterOf(database, { url: `http://127.0.0.1:${forgetful.port}` });
    const batch = recordBatch(lines(100));
    expect(await store(emitter, sliceRecords(batch, 0, 10))).toEqual(DELIVERED);
    // The second INSERT has the same token.
    forgetful.answersToLose = 1;
    expect(await store(emitter, sliceRecords(batch, 10, 50))).toEqual(DELIVERED);
    expect(await counted(database)).toEqual({ rows: 50, records: 50, shown: 50 });
    // Both are lost: the records are emitted again, and are cut into other batches.
    forgetful.answersToLose = 2;
    expect(await store(emitter, sliceRecords(batch, 50, 80))).toMatchObject({
      kind: 'retry',
      rolledBack: true,
    });
    expect(await store(emitter, sliceRecords(batch, 50, 60))).toEqual(DELIVERED);
    expect(await store(emitter, sliceRecords(batch, 60, 100))).toEqual(DELIVERED);
    expect(await counted(database)).toEqual({ rows: 100, records: 100, shown: 100 });
    expect(forgetful.answersToLose).toBe(0);
  });

  test('inserts a large flush in parts, and stores records once when the answer to one part is lost', async () => {
    const database = newDatabase();
    const forgetful = await forgetfulProxy(server.port);
    const { emitter } = await emitterOf(database, { url: `http://127.0.0.1:${forgetful.port}` });
    const batch = recordBatch(
      Array.from({ length: 36 }, (_, index) => `${index} ${'x'.repeat(1_000_000)}\n`),
    );
    // One for each of the two parts, and one for the repetition of either.
    forgetful.answersToLose = 3;
    for (const from of [0, 12, 24]) {
      const slice = sliceRecords(batch, from, from + 12);
      expect(await emitter.emit(batchOf([slice]), never)).toEqual(DELIVERED);
    }
    expect(await emitter.flush(never)).toMatchObject({ kind: 'retry', rolledBack: true });
    expect(await notes(database)).toEqual([]);
    expect(await store(emitter, sliceRecords(batch, 0, 30))).toEqual(DELIVERED);
    expect(await store(emitter, sliceRecords(batch, 30, 36))).toEqual(DELIVERED);
    expect(await counted(database)).toEqual({ rows: 36, records: 36, shown: 36 });
    const { insertsOfRecords } = forgetful;
    // Two parts, and two repetitions with the same token. The next flush may find all records.
    expect(insertsOfRecords).toBeGreaterThanOrEqual(4);
  });

  test('inserts records as compact parts, also into a table of an earlier version, unless the operator chose wide ones', async () => {
    const database = newDatabase();
    const table = `${database}.log_records`;
    const batch = recordBatch(
      Array.from({ length: 36 }, (_, index) => `${index} ${'x'.repeat(1_000_000)}\n`),
    );
    const storeSome = async (from: number, to: number) => {
      const { emitter } = await emitterOf(database);
      expect(await store(emitter, sliceRecords(batch, from, to))).toEqual(DELIVERED);
    };
    const newestPart = async () => {
      const [part] = await server.sql(
        `select part_type from system.parts where active and database = '${database}' and table = 'log_records'
          order by max_block_number desc limit 1 format JSONEachRow`,
      );
      return part?.part_type;
    };
    await storeSome(0, 12);
    expect(await newestPart()).toBe('Compact');
    await server.sql(`alter table ${table} reset setting min_bytes_for_wide_part`);
    await storeSome(12, 24);
    expect(await newestPart()).toBe('Compact');
    await server.sql(`alter table ${table} modify setting min_bytes_for_wide_part = 1`);
    await storeSome(24, 36);
    expect(await newestPart()).toBe('Wide');
  });

  test('stores the values of all columns as they are, also nulls and texts that are not ASCII', async () => {
    const database = newDatabase();
    const { emitter } = await emitterOf(database);
    const line = (user: string, size: string) =>
      `10.0.0.1 - ${user} [31/Jan/2026:10:00:00 +0000] "GET /a HTTP/1.1" 404 ${size} "-" "-"\n`;
    const combined = recordBatch([line('anna', '5'), line('-', '-'), 'no access log: \u00e4\u{1f600}\n'], {
      format: 'combined',
    });
    const json = jsonBatch([{ time: '2026-02-01T00:00:00Z', msg: 'J\u00fcrgen', level: 'error', n: 1 }]);
    expect(await store(emitter, combined, json)).toEqual(DELIVERED);
    const rows = await server.sql(
      `select body, user_name, http_response_status_code as status, http_response_body_size as size, severity_number,
         toString(time) as at from ${database}.log_records where format <> 'plain' order by stream, position format JSONEachRow`,
    );
    expect(rows).toHaveLength(4);
    const at = '2026-01-31 10:00:00.000000';
    const answer = { status: 404, severity_number: 13, at };
    expect(rows).toContainEqual({ body: line('anna', '5').trimEnd(), user_name: 'anna', size: 5, ...answer });
    expect(rows).toContainEqual({ body: line('-', '-').trimEnd(), user_name: null, size: null, ...answer });
    const empty = { user_name: null, status: null, size: null };
    expect(rows).toContainEqual(
      expect.objectContaining({ body: 'no access log: \u00e4\u{1f600}', severity_number: null, ...empty }),
    );
    expect(rows).toContainEqual({
      ...{ body: 'J\u00fcrgen', severity_number: 17, at: '2026-02-01 00:00:00.000000', ...empty },
    });
  });

  test('deletes days of which all records were read before the retention', async () => {
    const database = newDatabase();
    const hourAgo = (hours: number) => BigInt(Date.now() - hours * 3_600_000) * 1_000_000n;
    const old = recordBatch(['old\n'], { observedTimeUnixNano: hourAgo(80) });
    const young = recordBatch(['young\n'], { observedTimeUnixNano: hourAgo(0) });
    const { emitter: first } = await emitterOf(database);
    const imported = jsonBatch(
      [{ time: new Date(Date.now() - 200 * 3_600_000).toISOString(), msg: 'imported' }],
      {
        observedTimeUnixNano: hourAgo(0),
      },
    );
    expect(await store(first, old, young, imported)).toEqual(DELIVERED);
    await emitterOf(database, { retention_age: '24h' });
    await expect
      .poll(() => server.sql(`select body from ${database}.log_records order by body format JSONEachRow`), {
        timeout: 20_000,
      })
      .toHaveLength(2);
    const bodies = await server.sql(
      `select body from ${database}.log_records order by body format JSONEachRow`,
    );
    expect(bodies).toEqual([{ body: 'imported' }, { body: 'young' }]);
  });

  test('shows all attributes of a record together in the view', async () => {
    const database = newDatabase();
    const { emitter } = await emitterOf(database);
    const line = '10.0.0.1 - - [31/Jan/2026:10:00:00 +0000] "GET /a?b=1 HTTP/1.1" 200 5 "-" "agent"\n';
    expect(await store(emitter, recordBatch([line], { format: 'combined' }))).toEqual(DELIVERED);
    const [row] = await server.sql(`select attributes from ${database}.logs format JSONEachRow`);
    expect(JSON.parse(String(row?.attributes))).toMatchObject({
      'client.address': '10.0.0.1',
      'http.response.status_code': 200,
      'url.path': '/a',
      'user_agent.original': 'agent',
    });
  });

  test('rejects records that violate a constraint of the table', async () => {
    const database = newDatabase();
    const { emitter } = await emitterOf(database);
    expect(await store(emitter, recordBatch(['first\n']))).toEqual(DELIVERED);
    await server.sql(
      `alter table ${database}.log_records add constraint polite check body not like '%rude%'`,
    );
    expect(await store(emitter, recordBatch(['rude\n']))).toMatchObject({
      kind: 'rejected',
      rolledBack: true,
    });
    expect(await store(emitter, recordBatch(['second\n']))).toEqual(DELIVERED);
  });

  test('retries without showing the password if it is wrong', async () => {
    const { emitter, logs } = await emitterOf(newDatabase(), { password: 'a wrong secret' });
    const outcome = await store(emitter, recordBatch(['a\n']));
    expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/code 516/) });
    expect(JSON.stringify([outcome, logs])).not.toMatch(/secret/);
  });

  test('logs a warning while no server answers, and uses the next one of a list', async () => {
    const forgetful = await forgetfulProxy(server.port);
    await forgetful.close();
    const dead = `http://127.0.0.1:${forgetful.port}`;
    const alone = await emitterOf(newDatabase(), { url: dead });
    expect(await store(alone.emitter, recordBatch(['a\n']))).toMatchObject({ kind: 'retry' });
    expect(alone.logs.map(({ msg }) => msg)).toContainEqual(
      expect.stringContaining(`Cannot reach ClickHouse at ${dead}`),
    );
    const { emitter } = await emitterOf(newDatabase(), { url: [dead, server.url()] });
    await expect.poll(() => store(emitter, recordBatch(['a\n'])), { timeout: 10_000 }).toEqual(DELIVERED);
  });
});

/** A proxy that loses answers to an INSERT of records: the server has stored them. */
async function forgetfulProxy(port: number) {
  const state = {
    ...{ port: 0, answersToLose: 0, insertsOfRecords: 0, heldInserts: 0, close: async () => {} },
    /** The answers to INSERTs wait until the returned function is called. */
    holdInserts() {
      let answer = () => {};
      held = new Promise((resolve) => {
        answer = resolve;
      });
      return () => answer();
    },
  };
  let held: Promise<void> | undefined;
  const proxy = createServer((incoming, outgoing) => {
    const { method, url = '', headers } = incoming;
    const isInsert = /insert(?:\+|%20)into(?:\+|%20)log_records/i.test(url);
    const forwarded = sendRequest({ port, host: '127.0.0.1', method, path: url, headers }, (answer) => {
      if (isInsert) state.insertsOfRecords++;
      if (isInsert && state.answersToLose > 0) {
        state.answersToLose--;
        answer.resume();
        incoming.socket.destroy();
        return;
      }
      const pass = () => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      };
      if (!isInsert || held === undefined) return pass();
      state.heldInserts++;
      void held.then(pass);
    });
    forwarded.on('error', () => incoming.socket.destroy());
    incoming.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  state.port = (proxy.address() as AddressInfo).port;
  state.close = async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  };
  onTestFinished(() => state.close().catch(() => {}));
  return state;
}
