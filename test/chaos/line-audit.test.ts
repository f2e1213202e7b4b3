import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BANNER, TRAILER } from '../../bench/chaos/frame-line.ts';
import { type Audit, auditFiles, type DueLog, LineAudit } from '../../bench/chaos/line-audit.ts';
import { numberedLine } from '../../bench/chaos/numbered-line.ts';
import { auditRows } from '../../bench/chaos/store/store-audit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const alpha = (number: number) => numberedLine('alpha', number);
const FIVE = [0, 1, 2, 3, 4].map(alpha);
const CLEAN = { lines: 5, missing: 0, doubled: 0, disordered: 0, damaged: 0, cut: 0, examples: [] };

describe('the audit of what came out', () => {
  test('has nothing to say of what is complete', async () => {
    expect(await auditOf(FIVE)).toEqual(CLEAN);
  });

  test('takes several files as one text, cut anywhere', async () => {
    const text = FIVE.join('');
    for (const cut of [1, 10, 40, text.length - 1]) {
      expect(await auditOf([text.slice(0, cut)], [text.slice(cut)])).toEqual(CLEAN);
    }
  });

  test('counts lines that are equal in all generations, and looks at nothing else in them', async () => {
    expect(await auditOf([BANNER, ...FIVE, TRAILER, BANNER])).toEqual({ ...CLEAN, lines: 8 });
    expect(await auditOf([...FIVE, BANNER.slice(10)])).toMatchObject({ damaged: 1 });
  });

  test('joins the two parts of a line whose end was written late, and of no other line', async () => {
    const parts = [alpha(0), `${alpha(1).slice(0, -5)}\n`, alpha(1).slice(-5), ...FIVE.slice(2)];
    const due = (late: readonly number[]) => [
      { name: 'alpha', lines: 5, late: late.map((number) => alpha(number).slice(0, -1)) },
    ];
    expect(await auditOfLogs(due([1]), parts)).toEqual({ ...CLEAN, cut: 1 });
    expect(await auditOfLogs(due([1]), FIVE)).toEqual(CLEAN);
    expect(await auditOfLogs(due([2]), parts)).toMatchObject({ missing: 1, damaged: 2, cut: 0 });
    expect(
      await auditOfLogs(
        due([1]),
        parts.filter((_, index) => index !== 2),
      ),
    ).toMatchObject({ missing: 1 });
  });

  test('counts what is missing, in the middle and at the end', async () => {
    expect(await auditOf([alpha(0), alpha(2), alpha(3)])).toMatchObject({ missing: 2, doubled: 0 });
  });

  test('begins with the first number of a log', async () => {
    const due = [{ name: 'alpha', first: 2, lines: 3 }];
    expect(await auditOfLogs(due, FIVE.slice(2))).toEqual({ ...CLEAN, lines: 3 });
    expect(await auditOfLogs(due, FIVE)).toMatchObject({ missing: 0, damaged: 2 });
    expect(await auditOfLogs(due, [alpha(2), alpha(4)])).toMatchObject({ missing: 1 });
  });

  test('counts duplicates', async () => {
    expect(await auditOf([...FIVE, alpha(2)])).toMatchObject({ missing: 0, doubled: 1, disordered: 0 });
  });

  test('counts what is out of order', async () => {
    expect(await auditOf([0, 2, 1, 3, 4].map(alpha))).toMatchObject({ missing: 0, disordered: 1 });
  });

  test('counts what is damaged: cut, glued together, unknown', async () => {
    const whole = FIVE.slice(0, 4);
    const cut = alpha(4).slice(0, -3);
    expect(await auditOf([...whole, cut])).toMatchObject({ missing: 1, damaged: 1 });
    expect(await auditOf([...whole, `${cut}${alpha(4)}`])).toMatchObject({ missing: 1, damaged: 1 });
    expect(await auditOf([...FIVE, numberedLine('omega', 0)])).toMatchObject({ missing: 0, damaged: 1 });
    expect(await auditOf([...FIVE, alpha(5)])).toMatchObject({ missing: 0, damaged: 1 });
  });
});

describe('the audit of a filtered file', () => {
  const NINE = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(alpha);
  const filtered = NINE.filter((_, number) => number !== 3).map((line, at) =>
    at === 4 ? line.replaceAll(' ', '_') : at === 6 ? line.replaceAll(' ', '\n') : line,
  );
  const audited = (lines: readonly string[], mayBeTorn = false) =>
    auditLines([{ name: 'alpha', lines: 9 }], lines.join('').split('\n').slice(0, -1), mayBeTorn);

  test('finds nothing if lines are dropped, changed and split as the filter does it', () => {
    expect(audited(filtered)).toMatchObject({ missing: 0, doubled: 0, disordered: 0, damaged: 0 });
  });

  test('counts a line that is not split, and a split line that comes again', () => {
    const whole = filtered.with(6, alpha(7));
    expect(audited(whole)).toMatchObject({ missing: 1, damaged: 1 });
    expect(audited([...filtered, filtered[6] ?? ''])).toMatchObject({ missing: 0, doubled: 1 });
  });

  test('counts parts without their line, unless a killed process may leave them', () => {
    const torn = ['alpha\n000000007\n', ...filtered];
    expect(audited(torn)).toMatchObject({ missing: 0, damaged: 1 });
    expect(audited(torn, true)).toMatchObject({ missing: 0, damaged: 0 });
    expect(audited([...filtered, 'alpha\n'])).toMatchObject({ damaged: 1 });
  });
});

describe('the audit of filtered rows', () => {
  const line = alpha(7).trimEnd();
  const [log = '', digits = '', payload = ''] = line.split(' ');
  const audited = async (places: readonly number[]) => {
    const rows = [log, digits, payload].map((body, at) => ({ stream: 's', position: places[at] ?? 0, body }));
    async function* batches() {
      yield rows;
    }
    return await auditRows(batches(), [{ name: 'alpha', first: 7, lines: 1 }], true);
  };

  test('finds nothing if the parts of a line have the positions of its first bytes', async () => {
    expect(await audited([70, 71, 72])).toMatchObject({ missing: 0, damaged: 0, misplaced: 0 });
  });

  test('counts a part at another position', async () => {
    expect(await audited([70, 70, 72])).toMatchObject({ misplaced: 1 });
    expect(await audited([70, 71, 90])).toMatchObject({ misplaced: 1 });
  });
});

function auditLines(logs: readonly DueLog[], lines: readonly string[], mayBeTorn: boolean): Audit {
  const audit = new LineAudit(logs, { isFiltered: true, mayBeTorn });
  for (const line of lines) audit.line(line, 'here');
  return audit.result();
}

const auditOf = (...files: readonly (readonly string[])[]) =>
  auditOfLogs([{ name: 'alpha', lines: 5 }], ...files);

async function auditOfLogs(
  logs: readonly DueLog[],
  ...files: readonly (readonly string[])[]
): Promise<Audit> {
  const directory = await temporaryDirectory();
  const paths = files.map((_, index) => join(directory, String(index)));
  await Promise.all(paths.map((path, index) => writeFile(path, files[index]?.join('') ?? '')));
  const audit = new LineAudit(logs);
  await auditFiles(audit, paths);
  return audit.result();
}
