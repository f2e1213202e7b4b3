import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { clickhouseType } from '../../../src/emitters/clickhouse/type.ts';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { searchRequest } from '../../../src/logstore/logs/log-requests.ts';
import type { OwnClickHouse } from '../../../testkit/clickhouse/own-clickhouse.ts';
import { CLICKHOUSE_MISSING, startClickHouse } from '../../support/clickhouse-server.ts';
import { emitterEnvironment } from '../../support/emitter-environment.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const ROWS = 40_000;

describe.skipIf(CLICKHOUSE_MISSING !== undefined)('the index of texts in ClickHouse', () => {
  let server: OwnClickHouse;
  let databases = 0;
  const cleanUps: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    server = await startClickHouse((cleanUp) => void cleanUps.push(cleanUp));
  }, 60_000);
  afterAll(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });

  async function opened(database: string, settings: object = {}) {
    // The parts of the table have the time of the server.
    const clock = new FakeClock(Date.now() + 3 * 3_600_000);
    const value = JSON.stringify({ url: server.url(), database, fsync: false, ...settings });
    const [configured] = clickhouseType.parse(value);
    if (configured === undefined) throw new Error('No emitter is configured.');
    const environment = emitterEnvironment({ clock });
    const emitter = await clickhouseType.create(configured.configuration, environment);
    onTestFinished(() => emitter.stop(AbortSignal.timeout(5000)));
    await emitter.start();
    if (emitter.database === undefined) throw new Error('The emitter has no database.');
    await emitter.database.run([{ text: 'select 1 as one', values: [] }], { timeoutMs: 60_000 });
    const logs = createLogSearch(emitter.database, { clock });
    const found = async (text: string) =>
      (await logs.search(searchRequest.parse({ text, limit: 10 }))).entries.map(({ body }) => body);
    return { clock, found, logs: environment.logs };
  }

  async function fill(database: string) {
    await server.sql(
      `insert into ${database}.log_records (time, observed_time, format, body, stream, position)
        select toDateTime64('2026-01-05 00:00:00', 6, 'UTC') + number, now(), 'plain',
          concat('GET /Items/', toString(number), '?q=', if(number = 12345, 'Straße 100%_\\\\', 'x'), ' done'),
          repeat('0', 32), number from numbers(${ROWS})`,
      '&materialize_skip_indexes_on_insert=0',
    );
  }

  const indexBytes = async (database: string) => {
    const [found] = await server.sql(
      `select sum(secondary_indices_uncompressed_bytes) as bytes from system.parts
        where active and database = '${database}' and table = 'log_records' format JSONEachRow`,
    );
    return Number(found?.bytes);
  };

  test('is computed for a day that is over, and finds the same records', async () => {
    const database = `texts_${++databases}`;
    const { clock, found } = await opened(database);
    await fill(database);
    const texts = [
      '/items/12345?',
      'STRASSE',
      'straße 100%_\\',
      '100%_\\ DONE',
      'items/39999',
      'nowhere',
      '%_\\',
    ];
    const before = await Promise.all(texts.map(found));
    expect(before.map(({ length }) => length)).toEqual([1, 0, 1, 1, 1, 0, 1]);
    expect(await indexBytes(database)).toBeLessThan(ROWS);
    await clock.advance(60_000);
    await vi.waitFor(async () => expect(await indexBytes(database)).toBeGreaterThan(32_768 * 4), {
      timeout: 30_000,
      interval: 100,
    });
    expect(await Promise.all(texts.map(found))).toEqual(before);
    const [plan] = await server.sql(
      `select arrayStringConcat(groupArray(explain)) as plan from (explain indexes = 1
        select 1 from ${database}.log_records final where (lower(body) like '%nowhere%' and true)
        settings use_skip_indexes_if_final_exact_mode = 0) format JSONEachRow`,
    );
    expect(plan?.plan).toMatch(/Name: by_body.*?Granules: 0\//);
  });

  test('is added to a table of an earlier version, and not computed if it is off', async () => {
    const database = `texts_${++databases}`;
    await opened(database, { text_index: 'off' });
    await server.sql(`alter table ${database}.log_records drop index by_body`);
    const { clock, found } = await opened(database, { text_index: 'off' });
    const [definition] = await server.sql(
      `select name from system.data_skipping_indices where database = '${database}' and name = 'by_body'
        format JSONEachRow`,
    );
    expect(definition).toEqual({ name: 'by_body' });
    await fill(database);
    await clock.advance(120_000);
    expect(await found('/items/12345?')).toHaveLength(1);
    const mutations = await server.sql(
      `select command from system.mutations where database = '${database}' and table = 'log_records' format JSONEachRow`,
    );
    expect(mutations.filter(({ command }) => String(command).includes('MATERIALIZE'))).toEqual([]);
  });
});
