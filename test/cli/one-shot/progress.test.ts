import { describe, expect, it, vi } from 'vitest';
import { ProgressLine } from '../../../src/cli/one-shot/progress-line.ts';
import { ProgressText } from '../../../src/cli/one-shot/progress-text.ts';
import { showProgress } from '../../../src/cli/one-shot/show-progress.ts';
import { run } from '../../../src/cli/run.ts';
import type { CollectorService } from '../../../src/cli/services.ts';
import type { OneShotReport } from '../../../src/collector/one-shot-report.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const MIB = 1024 ** 2;
const ERASE = '\r\u001b[K';

function report(readBytes: number, remainingBytes: number, undeliveredRecords?: number): OneShotReport {
  return {
    accepted: { records: readBytes, bytes: readBytes },
    ...{ remainingBytes, left: [], lostBytes: 0, undeliveredRecords },
  };
}

describe('the progress text', () => {
  it('contains the rate and the remaining time as soon as they are known', () => {
    const text = new ProgressText();
    expect(text.next(0, report(0, 100 * MIB))).toBe('Read 0 B of 100 MiB (0 %)');
    expect(text.next(1000, report(10 * MIB, 90 * MIB))).toBe(
      'Read 10 MiB of 100 MiB (10 %), 10 MiB/s, 9 s left',
    );
    expect(text.next(2000, report(10 * MIB, 90 * MIB))).toBe(
      'Read 10 MiB of 100 MiB (10 %), 5 MiB/s, 18 s left',
    );
  });

  it('follows the rate of the last ten seconds', () => {
    const text = new ProgressText();
    text.next(0, report(0, 1000 * MIB));
    text.next(1000, report(400 * MIB, 600 * MIB));
    for (let second = 2; second <= 21; second++) {
      const read = 400 + second;
      text.next(second * 1000, report(read * MIB, (1000 - read) * MIB));
    }
    expect(text.next(22_000, report(422 * MIB, 578 * MIB))).toContain(', 1 MiB/s, 10 min left');
  });

  it('is empty until the files are known', () => {
    const text = new ProgressText();
    expect(text.next(0, report(0, 0))).toBe('');
    expect(text.next(5000, report(0, 100 * MIB))).toBe('Read 0 B of 100 MiB (0 %)');
    expect(text.next(6000, report(10 * MIB, 90 * MIB))).toContain('10 MiB/s, 9 s left');
  });

  it('counts the undelivered records after everything is read', () => {
    const text = new ProgressText();
    expect(text.next(0, report(MIB, 0, 5000))).toBe('Writing to the store: 5,000 records left');
    expect(text.next(1000, report(MIB, 0, 4000))).toBe('Writing to the store: 4,000 records left, 4 s left');
    expect(text.next(2000, report(MIB, 0, 0))).toBe('');
  });
});

describe('the progress line', () => {
  it('stays below log lines, fits the terminal, and is erased', async () => {
    const written: string[] = [];
    const line = new ProgressLine({ write: (text) => void written.push(text) });
    const clock = new FakeClock();
    const stop = showProgress({ line, report: () => report(0, 100 * MIB), clock, columns: () => 16 });
    line.write('before\n');
    await clock.advance(500);
    line.write('a log line\n');
    stop();
    line.write('after\n');
    const shown = 'Read 0 B of 10…';
    expect(written).toEqual([
      'before\n',
      `${ERASE}${shown}`,
      `${ERASE}a log line\n${shown}`,
      ERASE,
      'after\n',
    ]);
  });
});

describe('the progress of a command', () => {
  async function stderrOf({ isTTY, TERM = 'xterm' }: { readonly isTTY: boolean; readonly TERM?: string }) {
    let finish = () => {};
    let reports = 0;
    const stub: CollectorService = {
      start: async () => {},
      stop: async () => {},
      reopen: async () => {},
      drained: () => new Promise((resolve) => (finish = resolve)),
      accepted: () => ({ records: 0, bytes: 0 }),
      oneShotReport: () => (reports++ < 2 ? report(0, 100 * MIB) : report(0, 0)),
      failed: new Promise(() => {}),
    };
    const { io, stderr } = capturedIo({
      environment: { HOME: '/h', TERM },
      services: { createCollector: async () => stub },
    });
    const terminal = Object.assign(io.stderr, { isTTY, columns: 80 });
    const ended = run(['collector', '--tail', import.meta.filename, '--once'], { ...io, stderr: terminal });
    const idle = finish;
    await vi.waitUntil(() => finish !== idle, { timeout: 20_000 });
    if (isTTY && TERM !== 'dumb') await vi.waitUntil(() => stderr().includes('100 MiB'), { timeout: 20_000 });
    finish();
    expect(await ended).toBe(0);
    return stderr();
  }

  it('is shown on a terminal and erased at the end', async () => {
    const text = await stderrOf({ isTTY: true });
    expect(text).toContain(`${ERASE}Read 0 B of 100 MiB (0 %)`);
    expect(text.slice(text.lastIndexOf('100 MiB'))).toContain(ERASE);
  });

  it.each([{ isTTY: false }, { isTTY: true, TERM: 'dumb' }])('is not shown with %j', async (terminal) => {
    const text = await stderrOf(terminal);
    expect(text).not.toContain(ERASE);
    expect(text).toContain('Read 0 records (0 B)');
  });
});
