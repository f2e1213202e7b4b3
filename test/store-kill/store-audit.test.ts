import { expect, test } from 'vitest';
import { numberedLine } from '../../bench/chaos/numbered-line.ts';
import type { StoredRow } from '../../bench/chaos/store/chaos-store.ts';
import { auditRows } from '../../bench/chaos/store/store-audit.ts';

const body = (number: number) => numberedLine('alpha', number).slice(0, -1);
const CLEAN = { lines: 5, missing: 0, doubled: 0, disordered: 0, damaged: 0, sameIdentity: 0, misplaced: 0 };

/** Two streams of one log, the second after its third line. */
function rowsOf(numbers: readonly number[]): StoredRow[] {
  const ends = { first: 0, second: 0 };
  return numbers.map((number) => {
    const stream = number < 3 ? 'first' : 'second';
    const position = ends[stream];
    ends[stream] += body(number).length + 1;
    return { stream, position, body: body(number) };
  });
}

const whole = rowsOf([0, 1, 2, 3, 4]);

const audit = (rows: readonly StoredRow[]) =>
  auditRows(
    (async function* () {
      yield rows.slice(0, 2);
      yield rows.slice(2);
    })(),
    [{ name: 'alpha', lines: 5 }],
  );

test('the audit of a store has nothing to say of what is complete', async () => {
  expect(await audit(whole)).toMatchObject({ ...CLEAN, examples: [] });
});

test('the audit of a store counts missing lines, and reports an empty store', async () => {
  const rows = whole.filter((_, index) => index !== 1);
  expect(await audit(rows)).toMatchObject({ ...CLEAN, lines: 4, missing: 1, misplaced: 1 });
});

test('the audit of a store counts rows with one identity', async () => {
  const rows = whole.flatMap((row, index) => (index === 3 ? [row, row] : [row]));
  expect(await audit(rows)).toMatchObject({ ...CLEAN, lines: 6, doubled: 1, sameIdentity: 1 });
});

test('the audit of a store counts a line that came twice, in another stream', async () => {
  const rows = [...whole, { stream: 'third', position: 0, body: body(2) }];
  expect(await audit(rows)).toMatchObject({ ...CLEAN, lines: 6, doubled: 1 });
});

test('the audit of a store counts lines at the position of others', async () => {
  const [first, second, ...rest] = whole as [StoredRow, StoredRow, ...StoredRow[]];
  const swapped = [{ ...first, body: second.body }, { ...second, body: first.body }, ...rest];
  const { misplaced, disordered } = await audit(swapped);
  expect({ disordered, isMisplaced: misplaced > 0 }).toEqual({ disordered: 1, isMisplaced: true });
});
