import fc from 'fast-check';
import { expect, test } from 'vitest';
import { storable } from '../../../src/logstore/log-row.ts';
import type { SqlValue } from '../../../src/logstore/sql/sql.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { deliver, query, type Store, startedOn, temporaryPath } from './emitting.ts';

const BYTE_ORDER_MARK = '\ufeff';

/** What byte order marks, directions, ends of cells (12 bytes) and widths of characters may break. */
const piece = fc.constantFrom(
  BYTE_ORDER_MARK,
  '\ufffe',
  '\u202e\u05d0\u05d1',
  '\ud83d\ude00',
  '\u{10ffff}',
  '\0',
  '\ud800',
  '\udc00',
  '\u00e4',
  'abcdefghijk',
  'x',
  '\r\n',
  '\u2028',
);
const anyText = fc.oneof(
  fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

async function selected(emitter: Store, values: readonly SqlValue[]): Promise<readonly SqlValue[]> {
  const text = `select ${values.map((_, index) => `$${index + 1} as c${index}`).join(', ')}`;
  const [rows] = await emitter.database.run([{ text, values }], { timeoutMs: 10_000, isReadOnly: true });
  return Object.values(rows?.[0] ?? {});
}

test('a text keeps a leading byte order mark, in and beyond the cell', async () => {
  const emitter = await startedOn(await temporaryPath());
  const texts = ['', BYTE_ORDER_MARK, `${BYTE_ORDER_MARK}a`, `${BYTE_ORDER_MARK}${'long '.repeat(10)}`];
  expect(await selected(emitter, texts)).toEqual(texts);
});

test('distinguishes nulls and texts of many rows', async () => {
  const emitter = await startedOn(await temporaryPath());
  const rows = await query(
    emitter,
    "select case when i % 3 = 0 then null else repeat('y', i % 20) end as text from range(5000) as t(i) order by i",
  );
  const expected = Array.from({ length: 5000 }, (_, i) => (i % 3 === 0 ? null : 'y'.repeat(i % 20)));
  expect(rows.map(({ text }) => text)).toEqual(expected);
});

test('reads any stored text as it was bound', async () => {
  const emitter = await startedOn(await temporaryPath());
  await fc.assert(
    fc.asyncProperty(fc.array(anyText.map(storable), { minLength: 1, maxLength: 6 }), async (texts) => {
      expect(await selected(emitter, texts)).toEqual(texts);
    }),
    { numRuns: 200 },
  );
});

test('reads any text of a record unchanged', async () => {
  const emitter = await startedOn(await temporaryPath());
  await fc.assert(
    fc.asyncProperty(anyText, anyText, async (text, key) => {
      const batch = jsonBatch([{ msg: text, 'user.name': text, [`key ${key}`]: text }]);
      await deliver(emitter, batch);
      const [row] = await query(
        emitter,
        `select body, user_name, attributes::text as attributes from log_records where stream = '${batch.stream}'`,
      );
      expect([row?.body, row?.user_name]).toEqual([storable(text), storable(text)]);
      const attributes = JSON.parse(String(row?.attributes)) as Record<string, unknown>;
      expect(attributes[storable(`key ${key}`)]).toBe(storable(text));
    }),
    { numRuns: 100 },
  );
});
