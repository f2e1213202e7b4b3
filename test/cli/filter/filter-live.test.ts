import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lastRecords, tryFilter } from '../../../src/aggregator/filters/try-filter.ts';
import { run } from '../../../src/cli/run.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { type FakeAnswers, fakeStateDirectory, ownedDirectory } from '../../support/owner-process.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { FakeAggregator } from '../monitor/fake-aggregator.ts';

const RECORDS = ['add 7\n', 'drop 1\n', 'a;b\n', 'other\n'];

/** The real run of the filter, on the records of the test. */
const tryOnRecords: FakeAnswers = {
  tryFilter: async ({ body }) => {
    const { text, limit } = body as { readonly text: string; readonly limit: number };
    const records = lastRecords([recordBatch(RECORDS)], limit);
    const { problems, ...result } = await tryFilter(text, records, { directory: '/nonexistent' });
    return { problems: [...problems], ...result };
  },
};

async function command(argv: readonly string[], environment: Record<string, string> = {}) {
  const { io, stdout, stderr } = capturedIo({ environment });
  const exitCode = await run(['filter', ...argv], io);
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

async function filterFile(text: string): Promise<string> {
  const path = join(await temporaryDirectory(), 'a.filter');
  await writeFile(path, text);
  return path;
}

async function tryLive(text: string, ...more: readonly string[]) {
  const path = await filterFile(text);
  const directory = await ownedDirectory('aggregator', tryOnRecords);
  const result = await command(['try', path, '--live', '--state-directory', directory, ...more]);
  return { ...result, stderr: result.stderr.replaceAll(path, 'a.filter') };
}

describe('try --live', () => {
  const FILTER = `drop if body == "drop 1"
if body == "add 7" { n := 7; severity := "error"; route("pager") }
if body == "a;b" { split body by ";" }
`;

  test('shows the newest records of the aggregator before and after', async () => {
    const { exitCode, stdout, stderr } = await tryLive(FILTER);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('add 7\n  changed, lines 1 2 3, routed to pager\n');
    expect(stdout).toContain('  + n = 7\n');
    expect(stdout).toMatch(/[+~] severity = .*17\n/);
    expect(stdout).toContain('drop 1\n  dropped, lines 1\n');
    expect(stdout).toContain('  split into 2, lines 1 2 3\n  part 0\n  ~ body = "a;b" -> "a"\n  part 1\n');
    expect(stdout).toContain('other\n  unchanged, lines 1 2 3\n');
  });

  test('prints one JSON object per record, in the form of `try --source`', async () => {
    const { stdout } = await tryLive(FILTER, '--json', '--count', '2');
    const [split, other] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(split).toMatchObject({
      changed: true,
      after: [
        { body: 'a', part: 0 },
        { body: 'b', part: 1 },
      ],
    });
    expect(other).toMatchObject({ changed: false, lines: [1, 2, 3], routes: [], before: { body: 'other' } });
  });

  test('reports mistakes with the path of the file and exit code 1', async () => {
    const { exitCode, stderr } = await tryLive('stop\ngrock("X")');
    expect(exitCode).toBe(1);
    expect(stderr).toBe('a.filter:2:1: there is no function grock; did you mean grok?\n');
  });

  test('reports the values that the filter could not use', async () => {
    const { stderr } = await tryLive('[n] := number(body)', '--count', '1');
    expect(stderr).toBe('Errors: 1\na.filter:1: number: not a number: "other"\n');
  });

  test('queries the aggregator at --url, with the token', async () => {
    const records = [{ before: { body: 'x' }, after: [], lines: [1], routes: [] }];
    const aggregator = await FakeAggregator.start({
      'POST /v1/filters/try': { json: { problems: [], records } },
    });
    const token = join(await temporaryDirectory(), 'token');
    await writeFile(token, 'secret-token-of-16-bytes\n');
    const argv = ['try', await filterFile('drop'), '--live', '--url', aggregator.url, '--token-file', token];
    expect(await command(argv)).toEqual({ exitCode: 0, stdout: 'x\n  dropped, lines 1\n', stderr: '' });
    expect(aggregator.requests).toMatchObject([
      { body: { text: 'drop', limit: 100 }, headers: { authorization: 'Bearer secret-token-of-16-bytes' } },
    ]);
  });

  test('explains how to reach an aggregator if none runs', async () => {
    const directory = await fakeStateDirectory('aggregator');
    const argv = ['try', await filterFile('drop'), '--live', '--state-directory', directory];
    const { exitCode, stderr } = await command(argv);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `none runs on ${directory}. Start it, or name another one with --state-directory`,
    );
  });

  test.each([
    [['--source', 'x', '--live'], 'not both'],
    [[], 'Name the records with --source FILE, or with --live'],
    [['--live', '--geoip', 'x'], '--geoip is only for --source'],
    [['--live', '--format', 'plain'], '--format is only for --source'],
    [['--live', '--count', '101'], '--count must be at most 100 with --live, got 101'],
    [['--live', '--url', 'http://a', '--state-directory', 'b'], 'not both'],
  ])('%j is refused with exit code 2', async (flags, message) => {
    const { exitCode, stderr } = await command(['try', await filterFile('drop'), ...flags]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('errors', () => {
  const ERRORS = [
    {
      emitter: 'store',
      file: '/etc/web.filter',
      line: 3,
      count: 1200,
      samples: [{ reason: 'number: not a number', value: 'x\u001b[31m' }],
    },
  ];

  test('lists the errors of each line with samples that are safe for a terminal', async () => {
    const directory = await ownedDirectory('aggregator', {
      listFilterErrors: async () => ({ errors: ERRORS }),
    });
    const { exitCode, stdout } = await command(['errors', '--state-directory', directory]);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^\/etc\/web\.filter:3: 1.?200 errors, emitter store$/);
    expect(stdout.split('\n')[1]).toBe('  number: not a number: "x\\u001b[31m"');
    const json = await command(['errors', '--json', '--state-directory', directory]);
    expect(JSON.parse(json.stdout)).toEqual(ERRORS);
  });

  test('reports that there are none', async () => {
    const aggregator = await FakeAggregator.start({ 'GET /v1/filters/errors': { json: { errors: [] } } });
    const { stdout } = await command(['errors', '--url', aggregator.url]);
    expect(stdout).toBe('The filters have no errors.\n');
  });

  test('fails if no aggregator runs: the process has the counts', async () => {
    const directory = await fakeStateDirectory('aggregator');
    const { exitCode, stderr } = await command(['errors', '--state-directory', directory]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`none runs on ${directory}`);
  });
});
