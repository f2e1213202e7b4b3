import { describe, expect, test } from 'vitest';
import type { OneShotEnd } from '../../../src/cli/one-shot/one-shot-summary.ts';
import { awaitDelivery } from '../../../src/cli/standalone/await-delivery.ts';
import { NOTHING_READ } from '../../../src/collector/one-shot-report.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const TIMEOUT_MS = 10_000;
const HALF_MS = TIMEOUT_MS / 2;

function awaited(late: readonly string[] = []) {
  const clock = new FakeClock();
  const errors: Error[] = [];
  let current: OneShotEnd = NOTHING_READ;
  const cancel = awaitDelivery({
    report: () => current,
    lateEmitters: () => late,
    clock,
    timeoutMs: TIMEOUT_MS,
    fail: (error) => void errors.push(error),
  });
  const pass = async (ms: number, change: Partial<OneShotEnd> = {}) => {
    current = { ...current, ...change };
    await clock.advance(ms);
  };
  return { pass, cancel, errors };
}

describe('awaitDelivery', () => {
  test('fails once when records are queued and nothing changes within the timeout', async () => {
    const { pass, errors } = awaited(['emitter gelf']);
    await pass(3 * TIMEOUT_MS, { undeliveredRecords: 1200 });
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toMatch(/^Cannot deliver 1,200 queued records: .* 10 s \(emitter gelf\)\./);
  });

  test.each([
    ['records are delivered', { undeliveredRecords: 4 }],
    ['records become dead letters', { rejectedRecords: 1 }],
    ['more records are accepted', { accepted: { records: 9, bytes: 90 } }],
  ])('waits again for the whole timeout when %s', async (_, change) => {
    const { pass, errors } = awaited();
    await pass(HALF_MS, { undeliveredRecords: 5 });
    await pass(HALF_MS, change);
    await pass(HALF_MS);
    expect(errors).toEqual([]);
    await pass(TIMEOUT_MS);
    expect(errors).toHaveLength(1);
  });

  test('does not fail while no record is queued', async () => {
    const { pass, errors } = awaited();
    await pass(10 * TIMEOUT_MS, { undeliveredRecords: 0 });
    expect(errors).toEqual([]);
  });

  test('does not fail after it is cancelled', async () => {
    const { pass, cancel, errors } = awaited();
    await pass(HALF_MS, { undeliveredRecords: 5 });
    cancel();
    await pass(10 * TIMEOUT_MS);
    expect(errors).toEqual([]);
  });
});
