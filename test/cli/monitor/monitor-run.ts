import { run } from '../../../src/cli/run.ts';
import { capturedIo } from '../../support/captured-io.ts';
import type { FakeAggregator } from './fake-aggregator.ts';

export interface MonitorRun {
  readonly aggregator?: Pick<FakeAggregator, 'url'>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Of a terminal; absent: a pipe. */
  readonly columns?: number;
  readonly rows?: number;
}

/** `mega-collector monitor ...` in this process; `done` resolves with the exit code. */
export function startMonitor(
  argv: readonly string[],
  { aggregator, environment = {}, columns, rows }: MonitorRun = {},
) {
  const captured = capturedIo({ environment });
  if (columns !== undefined) Object.assign(captured.io.stdout, { isTTY: true, columns, rows });
  const url = aggregator === undefined ? [] : ['--url', aggregator.url];
  // A test that is not about waiting does not wait.
  const wait = argv.includes('--wait') || argv.length === 0 ? [] : ['--wait', '0s'];
  return { ...captured, done: run(['monitor', ...argv, ...url, ...wait], captured.io) };
}

export async function monitor(argv: readonly string[], options: MonitorRun = {}) {
  const { done, stdout, stderr } = startMonitor(argv, options);
  const exitCode = await done;
  return { exitCode, stdout: stdout(), stderr: stderr() };
}
