import { afterAll } from 'vitest';
import type { OwnClickHouse } from '../../../testkit/clickhouse/own-clickhouse.ts';
import { CLICKHOUSE_MISSING, startClickHouse } from '../../support/clickhouse-server.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

/** One server for all tests of the importing file, and one database for each test. */
let server: Promise<OwnClickHouse> | undefined;
let databases = 0;
const cleanUps: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
});

export const clickhouseFixture: EmitterFixture = {
  type: 'clickhouse',
  ...(CLICKHOUSE_MISSING !== undefined && { missing: CLICKHOUSE_MISSING }),
  open: async () => {
    server ??= startClickHouse((cleanUp) => void cleanUps.push(cleanUp));
    const running = await server;
    const database = `contract_${++databases}`;
    return {
      value: JSON.stringify({ url: running.url(), database, fsync: false }),
      // Rows are sorted by their time and stream.
      hasNoOrder: true,
      bodies: async () => {
        const rows = await running.sql(
          `select body from ${database}.log_records final order by time, stream, position format JSONEachRow`,
        );
        return rows.map(({ body }) => String(body));
      },
      refuse: async () => {
        await running.kill();
        return () => running.start();
      },
    };
  },
};
