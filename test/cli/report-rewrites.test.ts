import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import { reportRewrites } from '../../src/cli/report-rewrites.ts';
import { NOTHING_READ, type OneShotReport } from '../../src/collector/one-shot-report.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const CHECK_MS = 2_000;

async function followed() {
  const path = join(await temporaryDirectory(), 'access.log');
  const clock = new FakeClock();
  const lines: string[] = [];
  let current: OneShotReport = NOTHING_READ;
  let checks = 0;
  const cancel = reportRewrites({
    path,
    report: () => {
      checks++;
      return current;
    },
    clock,
    logger: pino({}, { write: (line) => void lines.push(line) }),
  });
  const check = async () => {
    const before = checks;
    await clock.advance(CHECK_MS);
    await vi.waitUntil(() => checks > before && clock.waiting > 0);
  };
  let writes = 0;
  const write = async (text: string) => {
    await writeFile(path, text);
    await utimes(path, 0, ++writes);
  };
  const report = (change: Partial<OneShotReport>) => {
    current = { ...current, ...change };
  };
  return { check, write, report, cancel, lines, clock };
}

describe('reportRewrites', () => {
  test('explains once why a file that gets the same content again and again adds nothing', async () => {
    const { write, check, lines } = await followed();
    for (let round = 0; round < 6; round++) {
      await write('one\n');
      await check();
    }
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('Nothing new was written to the file. The same bytes in a file');
  });

  test('explains it after a single rewrite', async () => {
    const { write, check, lines } = await followed();
    await write('one\n');
    await check();
    await write('one\n');
    for (let round = 0; round < 3; round++) await check();
    expect(lines).toHaveLength(1);
  });

  test('logs nothing while the file is not written to', async () => {
    const { write, check, lines } = await followed();
    await write('one\n');
    for (let round = 0; round < 4; round++) await check();
    expect(lines).toEqual([]);
  });

  test('logs nothing when the file grows, or has other content of the same size', async () => {
    const { write, check, report, lines } = await followed();
    for (let round = 1; round < 5; round++) {
      await write('x\n'.repeat(round));
      report({ accepted: { records: round, bytes: 2 * round } });
      await check();
    }
    for (let round = 5; round < 9; round++) {
      await write(`line ${round}\n`);
      report({ accepted: { records: round, bytes: 2 * round } });
      await check();
    }
    expect(lines).toEqual([]);
  });

  test('logs nothing while bytes of the file are not accepted', async () => {
    const { write, check, report, lines } = await followed();
    report({ remainingBytes: 4 });
    for (let round = 0; round < 4; round++) {
      await write('one\n');
      await check();
    }
    expect(lines).toEqual([]);
  });

  test('explains it again after new records', async () => {
    const { write, check, report, lines } = await followed();
    for (const records of [1, 2]) {
      report({ accepted: { records, bytes: 4 } });
      for (let round = 0; round < 4; round++) {
        await write('one\n');
        await check();
      }
    }
    expect(lines).toHaveLength(2);
  });

  test('stops when it is cancelled', async () => {
    const { cancel, clock } = await followed();
    cancel();
    expect(clock.waiting).toBe(0);
  });
});
