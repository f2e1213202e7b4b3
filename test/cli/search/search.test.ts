import { existsSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { guessFormat } from '../../../src/cli/search/guess-format.ts';
import { PRODUCT_ENTRY, productIsBuilt } from '../../../testkit/product.ts';
import { runCommand } from '../../../testkit/running-process.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ACCESS_LOG = [
  '10.0.0.1 - - [31/Jan/2026:10:00:00 +0000] "GET /api/user HTTP/1.1" 200 12 "-" "curl"',
  '10.0.0.2 - - [31/Jan/2026:10:00:01 +0000] "GET /api/help HTTP/1.1" 500 0 "-" "curl"',
  '10.0.0.1 - - [31/Jan/2026:10:01:02 +0000] "POST /report HTTP/1.1" 200 7 "-" "curl"',
].join('\n');

async function search(...argv: readonly string[]) {
  const { io, stdout, stderr } = capturedIo();
  const exitCode = await run(['search', ...argv], io);
  return { exitCode, stdout: stdout(), stderr: stderr() };
}

async function logFile(text: string, name = 'access.log'): Promise<string> {
  const path = join(await temporaryDirectory(), name);
  await writeFile(path, text);
  return path;
}

test('finds records of a file by a property, also in a last line without a line end', async () => {
  const path = await logFile(ACCESS_LOG);
  const failed = await search(path, '--where', 'status_code=500', '--json');
  expect(failed.exitCode).toBe(0);
  expect(JSON.parse(failed.stdout)).toMatchObject({
    time: '2026-01-31T10:00:01.000000Z',
    source: path,
    format: 'combined',
  });
  expect((await search(path)).stdout.split('\n').filter((line) => line !== '')).toHaveLength(3);
});

test('counts the values of a property over several files', async () => {
  const [first, second] = [await logFile(ACCESS_LOG), await logFile(ACCESS_LOG)];
  const { stdout } = await search(first, second, '--values', 'status_code', '--json');
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { value: '200', count: 4 },
    { value: '500', count: 2 },
  ]);
});

test('draws a histogram over the time of the records', async () => {
  const path = await logFile(ACCESS_LOG);
  const { stdout } = await search(path, '--histogram', '--interval', '1m', '--utc');
  expect(stdout).toContain('2026-01-31T10:00:00Z        2');
  expect(stdout).toContain('2026-01-31T10:01:00Z        1');
});

test('reads more records than a batch may hold', async () => {
  const path = await logFile('line of a file\n'.repeat(70_000));
  const { stdout } = await search(path, '--values', 'log.file.path', '--json');
  expect(JSON.parse(stdout)).toEqual({ value: path, count: 70_000 });
});

test('reads files in another encoding, named or by a byte order mark', async () => {
  const lines = ACCESS_LOG.replaceAll('curl', 'größe');
  const path = join(await temporaryDirectory(), 'access.log');
  await writeFile(path, Buffer.from(`\ufeff${lines}`, 'utf16le'));
  const values = ['--values', 'user_agent.original', '--json'];
  expect(JSON.parse((await search(path, ...values)).stdout)).toEqual({ value: 'größe', count: 3 });
  await writeFile(path, Buffer.from(lines, 'latin1'));
  const named = await search(path, '--encoding', 'latin1', ...values);
  expect(JSON.parse(named.stdout)).toEqual({ value: 'größe', count: 3 });
  const wrong = await search(path, '--encoding', 'latin-l');
  expect(wrong.stderr).toContain('did you mean "latin1"?');
});

test('reports that no records match, and that the files are empty', async () => {
  expect(await search(await logFile(ACCESS_LOG), '--text', 'nowhere')).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: 'No records match.\n',
  });
  expect((await search(await logFile(''))).stderr).toBe('The files are empty.\n');
});

test('reports the reason and the remedy for a file that cannot be read', async () => {
  const directory = await temporaryDirectory();
  const missing = await search(join(directory, 'missing.log'));
  expect(missing.exitCode).toBe(1);
  expect(missing.stderr).toBe(
    `mega-collector: Cannot read ${join(directory, 'missing.log')}: it does not exist (ENOENT). Check the path.\n`,
  );
  await mkdir(join(directory, 'empty'));
  expect((await search(join(directory, 'empty'))).stderr).toContain('it is a directory without a store');
});

test.each([
  [ACCESS_LOG, 'combined'],
  ['{"level":"info","msg":"a"}\n{"level":"warn","msg":"b"}\n', 'json'],
  ['Jan 31 10:00:00 web sshd[1]: hello\n', 'syslog'],
  ['2026-01-31T10:00:00.123456+01:00 web sshd[1]: hello\n', 'syslog'],
  ['2026-01-31 10:00:00,123 INFO root: hello\n', 'plain'],
  ['2026-01-31T10:00:00Z INFO root: hello\n', 'plain'],
  ['level=info msg="a"\nlevel=warn msg="b"\n', 'logfmt'],
  ['2026/01/31 10:00:00 [error] 1#1: hello\n', 'nginx-error'],
  ['[Sat Jan 31 10:00:00.1 2026] [core:error] [pid 1] hello\n', 'apache-error'],
  ['{"a":1}', 'json'],
  ['', 'plain'],
])('guesses the format of %j', (text, format) => {
  expect(guessFormat(Buffer.from(text))).toBe(format);
});

test.skipIf(!productIsBuilt())('searches the store of standalone --source', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'access.log');
  await appendFile(path, `${ACCESS_LOG}\n`);
  const product = (args: readonly string[]) =>
    runCommand({
      name: 'mega-collector',
      command: process.execPath,
      args: [PRODUCT_ENTRY, ...args],
      env: { XDG_STATE_HOME: directory, HOME: directory, TZ: 'UTC' },
    });
  const state = join(directory, 'state');
  const states = [
    '--collector-state-directory',
    join(state, 'collector'),
    '--aggregator-state-directory',
    join(state, 'aggregator'),
  ];
  await product(['standalone', '--source', path, ...states]);
  expect(existsSync(join(state, 'aggregator', 'duckdb'))).toBe(true);
  expect(await product(['search', state, '--where', 'status_code=500', '--utc'])).toContain('GET /api/help');
});

test('names the description that the format access needs, for an unknown format', async () => {
  const { exitCode, stderr } = await search(await logFile(ACCESS_LOG), '--format', 'acess');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('access:FORMAT');
});
