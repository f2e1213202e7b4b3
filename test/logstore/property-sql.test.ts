import { expect, test } from 'vitest';
import { parseProperty } from '../../src/expressions/property.ts';
import { propertyNumber, propertyText } from '../../src/logstore/property-sql.ts';
import { dialectOf } from '../../src/logstore/sql/dialect-of.ts';
import { sql, statement } from '../../src/logstore/sql/sql.ts';
import { jsonBatch } from '../support/json-batch.ts';
import { recordBatch } from '../support/record-batches.ts';
import { describeEachStore } from '../support/stores.ts';

const ACCESS = '10.0.0.1 - frank [31/Jan/2026:10:00:00 +0000] "GET /api/users HTTP/1.1" 404 10\n';

describeEachStore('a property', (openStore) => {
  test('is a text and a number, or null if it is not a number', async () => {
    const store = await openStore();
    const dialect = dialectOf(store.database.dialect);
    const batches = [
      recordBatch([ACCESS], { format: 'combined', start: 5 }),
      jsonBatch([
        { time: '1970-01-01T00:00:01.5Z', msg: '12', duration: '0.25', count: 7, level: 'critical' },
      ]),
    ];
    await store.write(batches);
    const [access, json] = batches.map(({ stream }) => stream);
    /** Of the access log line, then of the JSON object. */
    const expectations: Record<
      string,
      readonly [string | null, number | null, string | null, number | null]
    > = {
      time: ['2026-01-31T10:00:00.000000Z', 1_769_853_600, '1970-01-01T00:00:01.500000Z', 1.5],
      severity: ['warn', 13, 'error', 18],
      severity_number: ['13', 13, '18', 18],
      severity_text: [null, null, 'critical', null],
      body: [ACCESS.trimEnd(), null, '12', null],
      stream: [access ?? '', null, json ?? '', null],
      position: ['5', 5, '0', 0],
      status_code: ['404', 404, null, null],
      response_bsize: ['10', 10, null, null],
      request_proto: ['HTTP/1.1', null, null, null],
      'section(path)': ['api', null, null, null],
      duration: [null, null, '0.25', 0.25],
      count: [null, null, '7', 7],
      'host.name': ['test-host', null, 'test-host', null],
    };
    for (const [name, expected] of Object.entries(expectations)) {
      const property = parseProperty(name);
      const query = sql`select ${propertyText(dialect, property)} as as_text, ${propertyNumber(dialect, property)} as as_number
        from log_records order by time desc`;
      const [rows] = await store.database.run([statement(query)], { timeoutMs: 10_000, isReadOnly: true });
      const found = rows?.flatMap((row) => [row.as_text, row.as_number]);
      expect([name, found]).toEqual([name, expected]);
    }
  });
});
