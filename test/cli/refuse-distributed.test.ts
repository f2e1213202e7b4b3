import { expect, test } from 'vitest';
import { refuseDistributed } from '../../src/cli/refuse-distributed.ts';
import { run } from '../../src/cli/run.ts';
import { capturedIo } from '../support/captured-io.ts';

test.each(['aggregator --distributed', 'standalone --distributed=1', 'collector --watch --distributed'])(
  '%s is refused with what to use instead',
  (line) => {
    expect(() => refuseDistributed(line.split(' '))).toThrow(
      /removed.*2\.14[\s\S]*several aggregators[\s\S]*ClickHouse/,
    );
  },
);

test('the program exits with 2 and prints the alternative', async () => {
  const { io, stderr } = capturedIo();
  expect(await run(['aggregator', '--distributed'], io)).toBe(2);
  expect(stderr()).toContain('Cannot use --distributed');
});

test('other words are not refused', () => {
  expect(() => refuseDistributed(['search', 'x', '--distributed'])).not.toThrow();
  expect(() => refuseDistributed(['aggregator', '--metrics'])).not.toThrow();
  expect(() => refuseDistributed([])).not.toThrow();
});
