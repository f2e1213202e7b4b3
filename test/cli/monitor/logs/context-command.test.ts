import { expect, test } from 'vitest';
import { FakeAggregator } from '../fake-aggregator.ts';
import { logEntry } from '../log-entry.ts';
import { monitor } from '../monitor-run.ts';

const STREAM = '0197c0de00007000800000000000000a';

test('context shows the records in the order of their positions', async () => {
  const entries = [
    logEntry(1, { body: 'first', stream: STREAM }),
    logEntry(2, { body: 'second', stream: STREAM }),
  ];
  const answer = { entries, atStart: false, atEnd: true, withinSeconds: 3600 };
  const aggregator = await FakeAggregator.start({ 'GET /v1/logs/context': { json: answer } });
  const { exitCode, stdout, stderr } = await monitor(
    ['context', STREAM, '4096', '--direction', 'before', '-n', '2', '--where', 'a > 1', '--json'],
    { aggregator },
  );
  expect(exitCode).toBe(0);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { body: string }).body),
  ).toEqual(['first', 'second']);
  expect(stderr).toContain('Only records with a time within 3600 s');
});

test('context reports a wrong position', async () => {
  const { exitCode, stderr } = await monitor(['context', STREAM, 'first']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('POSITION: expected a number');
});
