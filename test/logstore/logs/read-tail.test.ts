import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { type TailRequest, tailRequest } from '../../../src/logstore/logs/log-requests.ts';
import type { TailPlace } from '../../../src/logstore/logs/tail-page.ts';
import { type Sql, sql, statement } from '../../../src/logstore/sql/sql.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { mintStreamId, type StreamId } from '../../../src/records/stream-id.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { newestFirst, rowsOf } from '../../support/row-model.ts';
import { describeEachStore, runsIn, type TestStore } from '../../support/stores.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 31, 10, 0, second)).toISOString();
const record = (second: number, msg: string, level = 'info') => ({ time: at(second), level, msg });

/** Follows from here on: each call gives what has come since the one before. */
async function follower({ database }: TestStore, request: TailRequest = {}) {
  const logs = createLogSearch(database, { clock: new FakeClock() });
  let place: TailPlace | undefined;
  const next = async () => {
    const page = await logs.tail(tailRequest.parse(request), place);
    place = page.place;
    return page;
  };
  await next();
  return {
    next,
    bodies: async () => (await next()).entries.map(({ body }) => body),
    identities: async () => (await next()).entries.map(({ stream, position }) => `${stream}@${position}`),
  };
}

async function run({ database }: TestStore, statements: readonly Sql[]) {
  await database.run(statements.map(statement), { timeoutMs: 10_000 });
}

describeEachStore('a tail', (openStore) => {
  test('begins with new records and returns each once, oldest first, for any time in it', async () => {
    const store = await openStore();
    const early = await follower(store);
    await store.write([jsonBatch([record(5, 'before')])]);
    const tail = await follower(store);
    expect(await tail.bodies()).toEqual([]);
    await store.write([jsonBatch([record(9, 'b'), record(10, 'c')]), jsonBatch([record(1, 'a')])]);
    expect(await tail.bodies()).toEqual(['a', 'b', 'c']);
    expect(await tail.bodies()).toEqual([]);
    await store.write([jsonBatch([{ time: '1999-01-01T00:00:00Z', msg: 'of long ago' }])]);
    await store.write([jsonBatch([record(2, 'd')])]);
    expect(await tail.bodies()).toEqual(['of long ago', 'd']);
    expect(await early.bodies()).toEqual(['of long ago', 'a', 'd', 'before', 'b', 'c']);
  });

  test('returns and counts only records that match its filter', async () => {
    const store = await openStore();
    const filters: TailRequest[] = [
      { severity: 'error' },
      { text: 'B' },
      { where: [{ property: 'stream', value: 'ab'.repeat(16) }] },
    ];
    const tails = await Promise.all(filters.map((filter) => follower(store, filter)));
    await store.write([
      jsonBatch([record(1, 'a'), record(2, 'b', 'fatal')]),
      jsonBatch([record(3, 'c')], { stream: 'ab'.repeat(16) as StreamId }),
    ]);
    for (const [index, expected] of [['b'], ['b'], ['c']].entries()) {
      const page = await tails[index]?.next();
      expect([page?.entries.map(({ body }) => body), page?.skipped]).toEqual([expected, 0]);
    }
  });

  test('returns the newest thousand of more records, with the number of skipped ones, and continues after all of them', async () => {
    const store = await openStore();
    const [all, some] = [await follower(store), await follower(store, { text: 'even' })];
    const records = Array.from({ length: 1500 }, (_, index) =>
      record(index, index % 2 === 0 ? `even ${index}` : `odd ${index}`),
    );
    await store.write([jsonBatch(records)]);
    const page = await all.next();
    expect([page.entries.length, page.skipped]).toEqual([1000, 500]);
    expect([page.entries[0]?.body, page.entries.at(-1)?.body]).toEqual(['even 500', 'odd 1499']);
    expect(await all.next()).toEqual({ entries: [], place: page.place, skipped: 0 });
    const filtered = await some.next();
    expect([filtered.entries.length, filtered.skipped]).toEqual([750, 0]);
  });

  test('leaves out records that would be too large for this process', async () => {
    const store = await openStore();
    const tail = await follower(store);
    const large = 'x'.repeat(900_000);
    for (const flush of [0, 1, 2, 3]) {
      await store.write([
        jsonBatch([0, 1, 2, 3].map((index) => ({ ...record(flush * 4 + index, 'm'), large }))),
      ]);
    }
    const { entries, skipped } = await tail.next();
    expect(entries.length).toBeGreaterThan(3);
    expect(entries.length + skipped).toBe(16);
    expect(entries.at(-1)?.time).toBe('2026-01-31T10:00:15.000000Z');
  });

  test('sees the flushes of each writer, also of one that is new', async () => {
    const store = await openStore();
    const tail = await follower(store);
    const [mine, others] = [jsonBatch([record(1, 'mine')]), jsonBatch([record(2, 'of another')])];
    await store.write([mine]);
    await store.write([others]);
    const writer = '11111111-2222-4333-8444-555555555555';
    await run(store, [
      sql`insert into writers (writer, last_flush, seen_at) values (${writer}::uuid, 7, now())`,
      sql`update stored_ranges set writer = ${writer}::uuid, flush = 7 where stream = ${others.stream}::uuid`,
    ]);
    expect(await tail.bodies()).toEqual(['mine', 'of another']);
    const more = jsonBatch([record(3, 'more of another')]);
    await store.write([more]);
    await run(store, [
      sql`update writers set last_flush = 9 where writer = ${writer}::uuid`,
      sql`update stored_ranges set writer = ${writer}::uuid, flush = 8 where stream = ${more.stream}::uuid`,
    ]);
    expect(await tail.bodies()).toEqual(['more of another']);
    await run(store, [sql`delete from writers where writer = ${writer}::uuid`]);
    expect(await tail.bodies()).toEqual([]);
    await run(store, [
      sql`insert into writers (writer, last_flush, seen_at) values (${writer}::uuid, 9, now())`,
    ]);
    expect(await tail.bodies()).toEqual([]);
  });

  test('does not return records again that are between two later parts', async () => {
    const store = await openStore();
    const parts: RecordBatch[] = [];
    for (const msg of ['first', 'second', 'third']) {
      const { stream = mintStreamId(), start = 0, data = [] } = parts.at(-1) ?? {};
      parts.push(jsonBatch([record(1, msg)], { stream, start: start + data.length }));
    }
    const [first, second, third] = parts as [RecordBatch, RecordBatch, RecordBatch];
    const tail = await follower(store);
    await store.write([second]);
    expect(await tail.bodies()).toEqual(['second']);
    await store.write([first]);
    await store.write([third]);
    expect(await tail.bodies()).toEqual(['first', 'third']);
  });

  test('continues when the records to show are already deleted', async () => {
    const store = await openStore();
    const tail = await follower(store);
    await store.write([jsonBatch([record(1, 'forgotten')])]);
    await run(store, [sql`delete from stored_ranges`]);
    expect(await tail.bodies()).toEqual([]);
    await store.write([jsonBatch([record(2, 'next')])]);
    expect(await tail.bodies()).toEqual(['next']);
  });

  test('returns every record once, for any order of flushes and reads and any position in its stream', async () => {
    const store = await openStore();
    const streams = Array.from({ length: 3 }, () => ({ stream: mintStreamId(), ends: 0 }));
    /** Out of order, with gaps that are filled later: as after a failover. */
    const action = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        batches: fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 4 }), fc.nat(30), fc.boolean()), {
          minLength: 1,
          maxLength: 4,
        }),
      }),
      fc.record({ kind: fc.constant('look' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 8 }), async (actions) => {
        const tail = await follower(store);
        const postponed: RecordBatch[] = [];
        let pending: RecordBatch[] = [];
        const look = async () => {
          const rows = newestFirst(rowsOf(pending)).map(({ stream, position }) => `${stream}@${position}`);
          expect((await tail.identities()).sort()).toEqual(rows.sort());
          pending = [];
        };
        for (const each of actions) {
          if (each.kind === 'look') {
            await look();
            continue;
          }
          const now: RecordBatch[] = [];
          for (const [which, count, second, isLater] of each.batches) {
            const place = streams[which];
            if (place === undefined) continue;
            const records = Array.from({ length: count }, (_, index) => record(second + index, `${index}`));
            const batch = jsonBatch(records, { stream: place.stream, start: place.ends });
            place.ends += batch.data.length;
            (isLater ? postponed : now).push(batch);
          }
          if (now.length > 0) await store.write(now);
          pending.push(...now);
        }
        for (const batch of postponed.reverse()) await store.write([batch]);
        pending.push(...postponed);
        await look();
      }),
      { numRuns: runsIn(store, 20) },
    );
  });
});
