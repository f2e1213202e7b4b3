import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { inProcessPair } from '../../support/in-process-pair.ts';
import { answerWith, fakeStateDirectory, ownedDirectory } from '../../support/owner-process.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const TOKEN = 'a-token-of-20-letters';
const FILTER = `drop if body contains "noise"
`;

/** A running pair that follows one file, whose emitter has a filter; and taps on it. */
async function tappedPair() {
  const directory = await temporaryDirectory();
  const filters = join(directory, 'filters');
  const log = join(directory, 'app.log');
  await mkdir(filters);
  await writeFile(join(filters, 'quiet.filter'), FILTER);
  await writeFile(log, 'first\n');
  const pair = await inProcessPair(directory);
  const aggregator = await pair.createAggregator({
    AGGREGATOR_FILTER_DIRECTORY: filters,
    AGGREGATOR_HTTP_TOKEN: TOKEN,
    AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: pair.outputPath, filter: 'quiet' }),
  });
  await aggregator.start();
  onTestFinished(() => aggregator.stop(AbortSignal.timeout(5000)));
  const collector = await pair.createCollector({ COLLECTOR_TAIL: log });
  await collector.start();
  onTestFinished(() => collector.stop(AbortSignal.timeout(5000)));
  const environment = {
    COLLECTOR_STATE_DIRECTORY: pair.collectorState,
    AGGREGATOR_STATE_DIRECTORY: pair.aggregatorState,
  };
  return { pair, log, environment, aggregator, collector };
}

function command(argv: readonly string[], environment: Record<string, string> = {}) {
  const captured = capturedIo({ environment });
  const ended = run(['tap', ...argv], captured.io);
  return { ...captured, ended };
}

type Pair = Awaited<ReturnType<typeof tappedPair>>;

/** Appends lines until the tap has ended: it may open after the first ones. */
async function tapOf({ log, environment }: Pair, argv: readonly string[]) {
  const tap = command(argv, environment);
  let isRunning = true;
  void tap.ended.finally(() => {
    isRunning = false;
  });
  for (let line = 0; isRunning; line++) {
    await appendFile(log, `noise ${line}\nmatter ${line}\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { exitCode: await tap.ended, stdout: tap.stdout(), stderr: tap.stderr() };
}

describe('a running pair', () => {
  test('shows records at each point', { timeout: 60_000 }, async () => {
    const running = await tappedPair();
    const { log, pair } = running;
    const bodies = async (point: string, ...more: string[]) => {
      const { exitCode, stdout } = await tapOf(running, [point, '--limit', '6', '--json', ...more]);
      expect(exitCode).toBe(0);
      const lines = stdout.trimEnd().split('\n');
      expect(lines).toHaveLength(6);
      return lines.map((line) => (JSON.parse(line) as { body: string }).body.replace(/\d+/, 'N'));
    };
    for (const point of ['all', 'tail', log, 'intake', 'file:received'])
      expect(new Set(await bodies(point))).toEqual(new Set(['noise N', 'matter N']));
    for (const point of ['file:filtered', 'file:delivered'])
      expect(new Set(await bodies(point))).toEqual(new Set(['matter N']));
    expect(new Set(await bodies('intake', '--where', 'body contains "noise"'))).toEqual(new Set(['noise N']));

    const text = await tapOf(running, [log, '-n', '1', '--utc']);
    expect(text.stdout).toMatch(/^\d{4}-\S+Z - {5}\S+app\.log (?:noise|matter) \d+\n$/);
    const raw = await tapOf(running, [log, '-n', '2', '--raw', '--where', 'body contains "noise"']);
    expect(raw.stdout).toMatch(/^noise \d+\nnoise \d+\n$/);

    const token = join(pair.directory, 'token');
    await writeFile(token, `${TOKEN}\n`);
    const url = ['--url', `http://${pair.aggregatorHttp}`];
    const overHttp = await tapOf(running, ['intake', '-n', '1', '--raw', ...url, '--token-file', token]);
    expect(overHttp.stdout).toMatch(/^(?:noise|matter) \d+\n$/);
    const denied = command(['intake', ...url]);
    expect(await denied.ended).toBe(1);
    expect(denied.stderr()).toContain('token');
  });

  test('ends with Ctrl-C, and when the process stops', { timeout: 60_000 }, async () => {
    const { environment, collector, log } = await tappedPair();
    const tap = command(['all'], environment);
    const other = command(['tail'], environment);
    while (tap.stdout() === '' || other.stdout() === '') {
      await appendFile(log, 'line\n');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    tap.send('SIGINT');
    expect(await tap.ended).toBe(0);
    expect(tap.stderr()).toBe('');
    await collector.stop(AbortSignal.timeout(5000));
    expect(await other.ended).toBe(0);
    expect(other.stderr()).toContain('The process has stopped.');
  });

  test('lists the points of both halves, and names them for an unknown one', {
    timeout: 60_000,
  }, async () => {
    const { environment, log } = await tappedPair();
    const list = command([], environment);
    expect(await list.ended).toBe(0);
    for (const point of ['all', 'tail', log, 'intake', 'file:received', 'file:filtered', 'file:delivered'])
      expect(list.stdout()).toMatch(new RegExp(`^${point} `, 'm'));
    const unknown = command(['nonsense'], environment);
    expect(await unknown.ended).toBe(1);
    expect(unknown.stderr()).toContain('Cannot tap nonsense: this collector has no source, file, listener');
    expect(unknown.stderr()).toContain(
      'Its points are intake, file:received, file:filtered, file:delivered.',
    );
  });
});

test('shows the problem of an expression under its place', async () => {
  const { ended, stderr } = command(['all', '--where', 'severity >>= error']);
  expect(await ended).toBe(2);
  expect(stderr()).toMatch(/Cannot use --where: expected .*\n {2}severity >>= error\n {12}\^\^\n/);
});

test.each([
  [['all', '--raw', '--json'], 'not both'],
  [['all', '--limit', '0'], '--limit must be 1 to 999999999'],
  [['all', '--url', 'http://127.0.0.1:1', '--state-directory', '/x'], 'not both'],
])('rejects %j', async (argv, message) => {
  const { ended, stderr } = command(argv);
  expect(await ended).toBe(2);
  expect(stderr()).toContain(message);
});

test('fails if no process runs', async () => {
  const directory = await fakeStateDirectory('collector');
  const { ended, stderr } = command(['all', '--state-directory', directory]);
  expect(await ended).toBe(1);
  expect(stderr()).toContain('No process runs. Start one, or name another with --state-directory or --url.');
});

test('hostile names of points are printed harmlessly', async () => {
  const point = '/logs/\u001b[2Jevil\u202e';
  const answer = { points: [{ point, description: 'x' }], omitted: 3 };
  const directory = await ownedDirectory('collector', { listTapPoints: answerWith(answer) });
  const { ended, stdout } = command(['--state-directory', directory]);
  expect(await ended).toBe(0);
  expect(stdout()).toContain('and 3 more files and streams');
  for (const obeyed of ['\u001b', '\u202e']) expect(stdout()).not.toContain(obeyed);
});
