import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogSearch } from '../../src/logstore/logs/create-log-search.ts';
import {
  histogramRequest,
  searchRequest,
  tailRequest,
  valuesRequest,
} from '../../src/logstore/logs/log-requests.ts';
import { CursorError } from '../../src/logstore/logs/log-search.ts';
import { STORE_TABLES } from '../../src/logstore/schema.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { nastyText } from '../support/nasty-text.ts';
import { recordBatch } from '../support/record-batches.ts';
import { matches, rowsOf } from '../support/row-model.ts';
import { describeEachStore, runsIn, type TestStore } from '../support/stores.ts';

/**
 * Everything that somebody outside can say, in a log line or in a request, said by somebody who means harm. Whatever it is:
 * it is stored as it is, found as it is, or refused with a word about it; and the tables are there as they were.
 */
const SERVICE = 'kept';

const nasty = nastyText();
const anyRequest = fc.record(
  {
    from: nastyText(64),
    to: nastyText(64),
    text: nasty,
    severity: nasty,
    host: nasty,
    service: nasty,
    where: fc.array(fc.record({ property: nastyText(300), value: nasty }), { maxLength: 3 }),
    cursor: nastyText(400),
    property: nastyText(300),
    limit: fc.oneof(fc.integer(), nasty),
    intervalSeconds: fc.oneof(fc.integer(), nasty),
  },
  { requiredKeys: [] },
);
/** Keys that a property may have, and what they may be taken for. */
const allowedKey = fc.constantFrom(
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'a--b',
  'a/~1',
  'a:b@c',
  '@timestamp',
  '_',
  'select',
  'attributes',
  'time::text',
);

async function shape({ database }: TestStore) {
  const names = STORE_TABLES.map((text) => /table if not exists (\w+)/.exec(text)?.[1] ?? '');
  const counts = [...names, 'log_records'].map((name) => ({
    text: `select count(*) as records, '${name}' as name from ${name}`,
    values: [],
  }));
  const rows = await database.run(counts, { timeoutMs: 10_000, isReadOnly: true });
  return rows.flat().map(({ name, records }) => `${name}: ${records}`);
}

describeEachStore('a hostile request', (openStore) => {
  test('is rejected with a reason, or finds exactly the matching records', async () => {
    const store = await openStore();
    const batch = recordBatch(['one\n', 'two\n'], { resource: new Map([['service.name', SERVICE]]) });
    await store.write([batch]);
    const before = await shape(store);
    const logs = createLogSearch(store.database, { clock: new FakeClock() });
    const rows = rowsOf([batch]);
    await fc.assert(
      fc.asyncProperty(anyRequest, fc.option(allowedKey), async (request, key) => {
        const asked =
          key === null ? request : { ...request, where: [{ property: key, value: 'x' }], property: key };
        const search = searchRequest.safeParse(onlyKeysOf(asked, searchRequest));
        if (search.success) {
          const page = await logs.search(search.data).catch((error: unknown) => {
            expect(error).toBeInstanceOf(CursorError);
            return undefined;
          });
          if (page !== undefined) {
            const expected = rows.filter((row) => matches(row, search.data)).length;
            expect(page.entries.length).toBeLessThanOrEqual(expected);
          }
        }
        const histogram = histogramRequest.safeParse(onlyKeysOf(asked, histogramRequest));
        if (histogram.success) await logs.histogram(histogram.data);
        const values = valuesRequest.safeParse(onlyKeysOf(asked, valuesRequest));
        if (values.success) await logs.values(values.data);
        const tail = tailRequest.safeParse(onlyKeysOf(asked, tailRequest));
        if (tail.success) await logs.tail(tail.data, new Map());
      }),
      { numRuns: runsIn(store, 300) },
    );
    expect(await shape(store)).toEqual(before);
  });

  test('is stored in any field without harm', async () => {
    const store = await openStore();
    await store.write([recordBatch(['one\n'])]);
    const before = await shape(store);
    const logs = createLogSearch(store.database, { clock: new FakeClock() });
    const span = { from: '2020-01-01T00:00:00Z', to: '2030-01-01T00:00:00Z' };
    const found = async (filter: object) =>
      (await logs.search(searchRequest.parse({ ...span, ...filter }))).entries.length;
    await fc.assert(
      fc.asyncProperty(
        nasty.filter((text) => text.length > 0 && !'one'.includes(text.toLowerCase())),
        async (text) => {
          expect(await found({ text: `${text.slice(0, 990)}?!`.slice(0, 1000) })).toBe(0);
          expect(await found({ host: text })).toBe(0);
          expect(await found({ service: text })).toBe(0);
          for (const property of [
            'body',
            'status_code',
            'time',
            'stream',
            'severity',
            'k',
            'section(url.path)',
            'request_proto',
          ]) {
            expect(await found({ where: [{ property, value: text }] })).toBe(0);
          }
          const values = await logs.values(
            valuesRequest.parse({ ...span, property: 'k', where: [{ property: 'k', value: text }] }),
          );
          expect(values.values).toEqual([]);
        },
      ),
      { numRuns: runsIn(store, 60) },
    );
    expect(await shape(store)).toEqual(before);
  });
});

describeEachStore('a hostile log line', (openStore) => {
  test('is stored unchanged, in any field', async () => {
    const store = await openStore();
    const logs = createLogSearch(store.database, { clock: new FakeClock() });
    const before = (await shape(store)).length;
    let seen = 0;
    const line = fc.oneof(
      nasty.map((text) => ({ format: 'plain', text })),
      fc
        .record({
          level: nasty,
          msg: nasty,
          time: nasty,
          keys: fc.dictionary(nastyText(60), nasty, { maxKeys: 4 }),
        })
        .map(({ keys, ...record }) => ({ format: 'json', text: JSON.stringify({ ...record, ...keys }) })),
      fc.tuple(nasty, nasty, nasty, nasty).map(([host, user, path, agent]) => ({
        format: 'combined',
        text: `${host} - ${user} [10/Oct/2025:13:55:36 +0000] "GET ${path} HTTP/1.1" 200 1 "-" "${agent}"`,
      })),
      fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => ({ format: 'json', text: bytes })),
    );
    const resource = fc.tuple(nastyText(100), nastyText(100), nastyText(100), nastyText(40));
    await fc.assert(
      fc.asyncProperty(line, resource, async ({ format, text }, [host, service, path, more]) => {
        const batch = recordBatch([typeof text === 'string' ? `${text}\n` : text], {
          format,
          resource: new Map([
            ['host.name', host],
            ['service.name', service],
            ['log.file.path', path],
            [`key ${more}`, more],
          ]),
        });
        await store.write([batch]);
        seen++;
        const [row] = rowsOf([batch]);
        const { entries } = await logs.search(
          searchRequest.parse({ where: [{ property: 'stream', value: batch.stream }] }),
        );
        const [entry] = entries;
        expect(entries.length).toBe(1);
        expect(entry).toMatchObject({
          body: row?.body,
          host: row?.host,
          service: row?.service,
          source: row?.source,
          format,
          severityText: row?.severityText,
        });
        const attributes = JSON.parse(row?.attributes ?? '{}') as object;
        for (const [key, value] of Object.entries(attributes)) {
          expect(Object.entries(entry?.attributes ?? {})).toContainEqual([key, value]);
        }
      }),
      { numRuns: runsIn(store, 150) },
    );
    const after = await shape(store);
    expect(after.length).toBe(before);
    expect(after).toContain(`log_records: ${seen}`);
  });
});

/** What a request does not know would be refused as a whole. */
function onlyKeysOf(request: object, { shape: known }: { readonly shape: object }): object {
  return Object.fromEntries(Object.entries(request).filter(([key]) => key in known));
}
