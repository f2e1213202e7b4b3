import { Registry } from 'prom-client';
import { beforeEach, describe, expect, test } from 'vitest';
import type { PostgresEmitter } from '../../../src/emitters/postgres/postgres-emitter.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { type RecordBatch, sliceRecords } from '../../../src/records/record-batch.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { CuttingProxy, saysCommit, type Verdict } from './cutting-proxy.ts';
import { MISSING, never, PostgresStand, store } from './postgres-stand.ts';

const port = await freePort();

describe.skipIf(MISSING !== '')(`Each record exactly once in PostgreSQL${MISSING}`, () => {
  const stand = PostgresStand.forSuite({
    listen_addresses: '127.0.0.1',
    port: String(port),
  });
  let database: string;
  beforeEach(async () => {
    database = await stand.createDatabase();
  });

  async function counted(): Promise<{ rows: number; places: number }> {
    const client = await stand.client(database);
    const { rows } = await client.query(
      `select count(*)::int as rows, count(distinct (stream, position))::int as places
       from mega_collector.log_records`,
    );
    await client.end();
    return rows[0];
  }

  async function storeUntilDelivered(emitter: PostgresEmitter, batch: RecordBatch): Promise<string[]> {
    const reasons: string[] = [];
    for (;;) {
      const outcome = await store(emitter, batch);
      if (outcome.kind === 'delivered') return reasons;
      expect(outcome).toMatchObject({ kind: 'retry', rolledBack: true });
      reasons.push(outcome.reason);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  describe('when the connection is lost', () => {
    test.each([
      ['before the server has the COMMIT', 'cut before'],
      ['after the server has the COMMIT', 'cut after'],
    ] as const)('%s', async (_, verdict) => {
      const proxy = await CuttingProxy.start(port);
      const emitter = await stand.emitter({ database, host: '127.0.0.1', port: proxy.port });
      const batch = recordBatch(lines(100));
      await store(emitter, sliceRecords(batch, 0, 10));
      let cuts = 0;
      proxy.judge = (bytes, isStoring) => (isStoring && saysCommit(bytes) && cuts++ === 0 ? verdict : 'pass');
      const reasons = await storeUntilDelivered(emitter, batch);
      expect(cuts).toBeGreaterThan(0);
      expect(reasons.length).toBe(1);
      expect(await counted()).toEqual({ rows: 100, places: 100 });
      const client = await stand.client(database);
      const { rows } = await client.query('select last_flush from mega_collector.writers');
      expect(rows).toEqual([{ last_flush: '2' }]);
    });

    test('in the middle of COPY', async () => {
      const proxy = await CuttingProxy.start(port);
      const emitter = await stand.emitter({ database, host: '127.0.0.1', port: proxy.port });
      await store(emitter, recordBatch(['first\n']));
      let passedBytes = 0;
      proxy.judge = (bytes, isStoring) => {
        passedBytes += isStoring ? bytes.length : 0;
        return passedBytes > 1_000_000 && passedBytes < 1_000_000 + bytes.length + 1 ? 'cut before' : 'pass';
      };
      const batch = recordBatch(lines(20_000, 'x'.repeat(100)));
      const reasons = await storeUntilDelivered(emitter, batch);
      expect(reasons.length).toBe(1);
      expect(await counted()).toEqual({ rows: 20_001, places: 20_001 });
    });

    test('by the administrator while idle', async () => {
      const emitter = await stand.emitter({ database });
      await store(emitter, recordBatch(['first\n']));
      const client = await stand.client(database);
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'mega-collector'`,
      );
      await storeUntilDelivered(emitter, recordBatch(['second\n']));
      expect(await counted()).toEqual({ rows: 2, places: 2 });
    });
  });

  test('when the COMMIT has no response: the flush fails, and the next one finds it done', async () => {
    const proxy = await CuttingProxy.start(port);
    const emitter = await stand.emitter({
      database,
      host: '127.0.0.1',
      port: proxy.port,
      statement_timeout: '500ms',
    });
    await store(emitter, recordBatch(['first\n']));
    let silences = 0;
    proxy.judge = (bytes, isStoring) =>
      isStoring && saysCommit(bytes) && silences++ === 0 ? 'silence' : 'pass';
    const reasons = await storeUntilDelivered(emitter, recordBatch(lines(50)));
    expect(reasons).toEqual([expect.stringContaining('did not answer')]);
    expect(await counted()).toEqual({ rows: 51, places: 51 });
  });

  test('when the server is killed repeatedly', async () => {
    const emitter = await stand.emitter({ database });
    const batch = recordBatch(lines(40_000, 'y'.repeat(50)));
    const total = batch.sizes.length;
    await store(emitter, sliceRecords(batch, 0, 1));
    for (let round = 0; round < 5; round++) {
      const to = ((round + 1) * total) / 5;
      const flushed = storeUntilDelivered(emitter, sliceRecords(batch, (round * total) / 5, to));
      await new Promise((resolve) => setTimeout(resolve, round * 15));
      await stand.server.kill();
      await stand.server.start();
      await flushed;
    }
    expect(await counted()).toEqual({ rows: total, places: total });
  });

  test('when another aggregator stores the same records before the first has committed', async () => {
    const proxy = await CuttingProxy.start(port);
    const first = await stand.emitter({ database, host: '127.0.0.1', port: proxy.port });
    const second = await stand.emitter({ database });
    const batch = recordBatch(lines(20));
    await store(first, sliceRecords(batch, 0, 1));
    let release = () => {};
    const released = new Promise<Verdict>((resolve) => {
      release = () => resolve('pass');
    });
    let isCommitting = false;
    proxy.judge = (bytes, isStoring) => {
      isCommitting ||= isStoring && saysCommit(bytes);
      return isStoring && saysCommit(bytes) ? released : 'pass';
    };
    const firstOutcome = store(first, sliceRecords(batch, 0, 15));
    await expect.poll(() => isCommitting, { timeout: 10_000 }).toBe(true);
    const secondOutcome = store(second, sliceRecords(batch, 5, 20));
    await stand.somebodyWaits(database);
    release();
    expect(await Promise.all([firstOutcome, secondOutcome])).toEqual([
      { kind: 'delivered' },
      { kind: 'delivered' },
    ]);
    expect(await counted()).toEqual({ rows: 20, places: 20 });
  });

  test('when several aggregators store the same streams at once, in different parts and orders', async () => {
    const batches = Array.from({ length: 6 }, () => recordBatch(lines(600)));
    const emitters = await Promise.all([1, 2, 3, 4].map(() => stand.emitter({ database })));
    const parts = (of: RecordBatch, step: number) =>
      Array.from({ length: Math.ceil(600 / step) }, (_, index) =>
        sliceRecords(of, index * step, Math.min(600, (index + 1) * step)),
      );
    await Promise.all(
      emitters.map(async (emitter, which) => {
        const all = batches.flatMap((batch) => parts(batch, 70 + 10 * which));
        const mine = which < 2 ? all : all.toReversed();
        for (let from = 0; from < mine.length; from += 9) {
          await emitter.emit(batchOf(mine.slice(from, from + 9)));
          expect(await emitter.flush(never)).toEqual({ kind: 'delivered' });
        }
      }),
    );
    expect(await counted()).toEqual({ rows: 3600, places: 3600 });
    const client = await stand.client(database);
    const { rows } = await client.query<{ ranges: string }>('select ranges from mega_collector.streams');
    expect(rows.map(({ ranges }) => JSON.parse(ranges))).toEqual(
      batches.map(({ data }) => [[0, data.length]]),
    );
  });

  test('when two aggregators start at once on an empty database', async () => {
    const batch = recordBatch(lines(30));
    const emitters = await Promise.all([1, 2, 3].map(() => stand.emitter({ database })));
    const outcomes = await Promise.all(emitters.map((emitter) => store(emitter, batch)));
    expect(outcomes).toEqual([1, 2, 3].map(() => ({ kind: 'delivered' })));
    expect(await counted()).toEqual({ rows: 30, places: 30 });
  });

  test('when its transaction is the victim of a deadlock: it is retried immediately', async () => {
    const metrics = new Registry();
    const emitter = await stand.emitter({ database }, { metrics });
    const one = recordBatch(['one\n']);
    const two = recordBatch(['two\n']);
    const [low, high] = one.stream < two.stream ? [one, two] : [two, one];
    await store(emitter, one, two);
    const other = await stand.client(database);
    const lock = (stream: string) =>
      other.query('select from mega_collector.streams where stream = $1 for update', [stream]);
    // Who looks for the deadlock is its victim: that is not to be us.
    await other.query(`set deadlock_timeout = '1h'; begin`);
    await lock(high.stream);
    const flushed = store(emitter, { ...low, start: 4 }, { ...high, start: 4 });
    await stand.somebodyWaits(database);
    await lock(low.stream);
    await other.query('rollback');
    expect(await flushed).toEqual({ kind: 'delivered' });
    expect(await counted()).toEqual({ rows: 4, places: 4 });
    expect(await metrics.getSingleMetricAsString('aggregator_emitter_postgres_conflicts_total')).toMatch(
      / 1$/m,
    );
  });
});
