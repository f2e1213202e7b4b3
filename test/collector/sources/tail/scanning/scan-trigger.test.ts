import { expect, onTestFinished, test } from 'vitest';
import {
  ScanTrigger,
  type ScanTriggerParts,
} from '../../../../../src/collector/sources/tail/scanning/scan-trigger.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';

const NOTHING = { files: [], directories: new Set<string>() };

function triggerWith(clock: FakeClock) {
  let scans = 0;
  const parts = { clock, pollMs: 10_000, scan: () => void scans++, files: { attached: () => [] } };
  const trigger = new ScanTrigger(parts as unknown as ScanTriggerParts);
  onTestFinished(() => trigger.stop());
  const scanOf = (ms: number) => {
    trigger.began();
    trigger.ended(NOTHING as unknown as Parameters<ScanTrigger['ended']>[0], ms);
  };
  return { scanOf, scans: () => scans };
}

test.each([
  { scanMs: 20, pollMs: 10_000 },
  { scanMs: 400, pollMs: 20_000 },
  { scanMs: 5000, pollMs: 30_000 },
])('after a scan of $scanMs ms, the next poll is after $pollMs ms', async ({ scanMs, pollMs }) => {
  const clock = new FakeClock();
  const { scanOf, scans } = triggerWith(clock);
  scanOf(scanMs);
  await clock.advance(pollMs - 1);
  expect(scans()).toBe(0);
  await clock.advance(1);
  expect(scans()).toBe(1);
});
