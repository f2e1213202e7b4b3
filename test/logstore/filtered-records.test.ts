import { expect, test } from 'vitest';
import { filterStage } from '../../src/emitters/filtering/filter-stage.ts';
import { batchOf } from '../../src/records/batch.ts';
import { WORDS } from '../support/hand-made-filter.ts';
import { recordBatch } from '../support/record-batches.ts';
import { describeEachStore } from '../support/stores.ts';

const TEXTS = ['drop first\n', 'a\n', 'change\n', 'split me now\n', 'drop last\n'];
const LINE = '192.0.2.7 - bob [20/Nov/2026:11:00:00 +0000] "GET /WORD HTTP/1.1" 200 5 "-" "curl"\n';

describeEachStore('filtered records', (openStore) => {
  async function stored(texts: readonly string[], format: string) {
    const { database, writeBatch } = await openStore();
    const batch = filterStage(WORDS)(batchOf([recordBatch(texts, { format })])).batch;
    await writeBatch(batch);
    await writeBatch(batch);
    const run = async (text: string) =>
      (await database.run([{ text, values: [] }], { timeoutMs: 10_000 }))[0] ?? [];
    const rows = await run('select body, position from log_records order by position');
    const [streams] = await run('select ranges from streams');
    const shown = rows.map(({ body, position }) => [Number(position), body]);
    // ClickHouse keeps no ranges: the rows themselves show which records are stored.
    const keepsRanges = database.dialect !== 'clickhouse';
    const ranges = keepsRanges ? (JSON.parse(String(streams?.ranges)) as unknown) : undefined;
    return { rows: shown, ranges, keepsRanges };
  }

  test('are dropped, changed and split; a repetition changes nothing, and the ranges have no gap', async () => {
    const { rows, ranges, keepsRanges } = await stored(TEXTS, 'plain');
    expect(rows).toEqual([
      [11, 'a'],
      [13, 'change!'],
      [20, 'split'],
      [21, 'me'],
      [22, 'now'],
    ]);
    expect(ranges).toEqual(keepsRanges ? [[0, TEXTS.join('').length]] : undefined);
  });

  test('of access logs are stored next to unchanged lines', async () => {
    const texts = ['one', 'change', 'drop', 'two'].map((word) => LINE.replace('WORD', word));
    const { rows } = await stored(texts, 'combined');
    expect(rows.map(([, body]) => body)).toEqual(
      [texts[0], `${texts[1]?.trimEnd()}!`, texts[3]].map((text) => text?.trimEnd()),
    );
  });

  test('leave a range behind if all records of a batch are dropped', async () => {
    const { rows, ranges, keepsRanges } = await stored(['drop\n', 'drop\n'], 'plain');
    expect(rows).toEqual([]);
    expect(ranges).toEqual(keepsRanges ? [[0, 10]] : undefined);
  });
});
