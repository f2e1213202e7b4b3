import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dialectOf } from '../../src/logstore/sql/dialect-of.ts';
import { join, sql } from '../../src/logstore/sql/sql.ts';
import { numberOrNull } from '../../src/logstore/sql/sql-row.ts';
import { STATISTICS } from '../../src/monitoring/metric-definition.ts';
import { statisticSql } from '../../src/monitoring/metric-sql.ts';
import { statisticOf } from '../../src/monitoring/statistic-of.ts';
import { describeEachMonitorStore } from './monitor-store.ts';

describeEachMonitorStore('a statistic', (open) => {
  it('is the same in this process as in the store', async () => {
    const store = await open();
    const dialect = dialectOf(store.database.dialect);
    const lists = fc.sample(
      fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 8 }),
      10,
    );
    for (const values of [[5], ...lists]) {
      const rows = join(
        values.map((value) => sql`(${value}::float8)`),
        sql`, `,
      );
      for (const statistic of STATISTICS) {
        const [row = {}] = await store.query(
          sql`select ${statisticSql(dialect, statistic, sql`value`)} as found from (values ${rows}) as given (value)`,
        );
        const found = numberOrNull(row, 'found');
        const ours = statisticOf(statistic, values);
        if (found === null || ours === null) expect(ours, `${statistic} of ${values.join()}`).toBe(found);
        else expect(ours, `${statistic} of ${values.join()}`).toBeCloseTo(found, 6);
      }
    }
  });
});
