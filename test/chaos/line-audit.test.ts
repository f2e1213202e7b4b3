import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BANNER, TRAILER } from '../../bench/chaos/frame-line.ts';
import { type Audit, auditFiles, type DueLog, LineAudit } from '../../bench/chaos/line-audit.ts';
import { numberedLine } from '../../bench/chaos/numbered-line.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const alpha = (number: number) => numberedLine('alpha', number);
const FIVE = [0, 1, 2, 3, 4].map(alpha);
const CLEAN = { lines: 5, missing: 0, doubled: 0, disordered: 0, damaged: 0, examples: [] };

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
