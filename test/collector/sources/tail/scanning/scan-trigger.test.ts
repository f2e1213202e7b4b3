import { expect, onTestFinished, test } from 'vitest';
import {
  ScanTrigger,
  type ScanTriggerParts,
} from '../../../../../src/collector/sources/tail/scanning/scan-trigger.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';

const NOTHING = { files: [], directories: new Set<string>() };

test.each([20, 400, 5000])('polls 10 s after the begin of a scan that took %d ms', async (scanMs) => {
  const clock = new FakeClock();
  let scans = 0;
  const parts = { clock, pollMs: 10_000, scan: () => void scans++, files: { attached: () => [] } };
  const trigger = new ScanTrigger(parts as unknown as ScanTriggerParts);
  onTestFinished(() => trigger.stop());
  trigger.began();
  await clock.advance(scanMs);
  trigger.ended(NOTHING as unknown as Parameters<ScanTrigger['ended']>[0], scanMs);
  await clock.advance(10_000 - scanMs - 1);
  expect(scans).toBe(0);
  await clock.advance(1);
  expect(scans).toBe(1);
});
