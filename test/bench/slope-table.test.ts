import { expect, test } from 'vitest';
import { cpuSlope, slopeTable } from '../../bench/slope-table.ts';
import type { Transfer } from '../../bench/transfer.ts';

function run(senderCpu: number, receiverCpu: number): Transfer {
  const half = (cpuSeconds: number) => ({ cpuSeconds, peakMemoryBytes: 0 });
  return {
    seconds: 1,
    sender: half(senderCpu),
    receiver: half(receiverCpu),
    difference: undefined,
    equality: 'identical',
  };
}

const SIZES = { bytes: 1.2e9, smallBytes: 0.2e9 };

test('the slope excludes the CPU of start and warm-up', () => {
  const standing = {
    name: 'ours',
    key: 'ours',
    failures: [],
    runs: [run(2.5, 3.5), run(3.5, 3.5), run(2.5, 5.5)],
    smallRuns: [run(1, 1), run(1, 1), run(1, 1)],
  };
  expect(cpuSlope(standing, SIZES)).toBeCloseTo(5);
  expect(slopeTable([standing], SIZES)).toMatch(/\| +1\.5 \| +2\.5 \| +5\.0 \| +4\.0 \| +6\.0 \|/);
});

test('there is no slope without runs of the small log', () => {
  expect(cpuSlope({ name: 'a', key: 'a', failures: [], runs: [run(1, 1)] }, SIZES)).toBeNaN();
  expect(slopeTable([{ name: 'a', key: 'a', failures: [], runs: [run(1, 1)] }], SIZES)).toBe('');
});
