import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { capturedIo } from '../../support/captured-io.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FILTER = `if grok("%{WORD:verb} %{INT:n:int}") { tags += "t" }
drop if verb == "drop"
if verb == "route" { route("pager") }
test "keeps numbers" { given plain 'add 7' expect n == 7 and "t" in tags }
test "drops" { given plain 'drop 1' expect dropped }
test "routes" { given plain 'route 1' expect route("pager") }
`;

async function filter(command: string, text: string, ...more: readonly string[]) {
  const path = join(await temporaryDirectory(), 'a.filter');
  await writeFile(path, text);
  const { io, stdout, stderr } = capturedIo();
  const exitCode = await run(['filter', command, path, ...more], io);
  return { exitCode, stdout: stdout(), stderr: stderr().replaceAll(path, 'a.filter'), path };
}

test('check shows what a filter reads and writes, its patterns and its emitters', async () => {
  const { exitCode, stdout } = await filter('check', FILTER);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/reads +body, verb\n/);
  expect(stdout).toMatch(/writes +n, tags, verb\n/);
  expect(stdout).toMatch(/emitters +pager\n/);
  expect(stdout).toMatch(/1 +linear +%\{WORD:verb\}/);
  const json = JSON.parse((await filter('check', FILTER, '--json')).stdout);
  expect(json).toMatchObject({
    problems: [],
    needs: 'fields',
    emitters: ['pager'],
    writes: ['n', 'tags', 'verb'],
  });
});

test('check reports mistakes with their places and exit code 1', async () => {
  const { exitCode, stderr } = await filter('check', 'stop\ngrock("X")');
  expect(exitCode).toBe(1);
  expect(stderr).toBe('a.filter:2:1: there is no function grock; did you mean grok?\n');
  const json = await filter('check', 'grock("X")', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ problems: [{ line: 1, column: 1 }] });
  expect(json.exitCode).toBe(1);
});

test('check reports a file that does not exist', async () => {
  const { io, stderr } = capturedIo();
  expect(await run(['filter', 'check', '/none/a.filter'], io)).toBe(1);
  expect(stderr()).toContain('Cannot read /none/a.filter: it does not exist (ENOENT)');
});

test('test passes', async () => {
  const { exitCode, stdout } = await filter('test', FILTER);
  expect(stdout).toBe('ok      keeps numbers\nok      drops\nok      routes\n3 passed, 0 failed\n');
  expect(exitCode).toBe(0);
});

test('test shows the record of a test that fails, with exit code 1', async () => {
  const text = `${FILTER}test "wrong" { given plain 'add 7' expect n == 8 }`;
  const { exitCode, stdout } = await filter('test', text);
  expect(exitCode).toBe(1);
  expect(stdout).toContain('failed  wrong');
  expect(stdout).toContain('line 7: the condition is false');
  expect(stdout).toContain('"n":7');
  const json = JSON.parse((await filter('test', text, '--json')).stdout);
  expect(json[3]).toMatchObject({ name: 'wrong', passed: false, reason: 'the condition is false' });
});

test('try shows records before and after, and the lines that ran', async () => {
  const log = join(await temporaryDirectory(), 'a.log');
  await writeFile(log, 'add 7\ndrop 1\nroute 2\nother\n');
  const { exitCode, stdout } = await filter('try', FILTER, '--source', log, '--format', 'plain');
  expect(exitCode).toBe(0);
  expect(stdout.split('\n').slice(0, 8)).toEqual([
    'add 7',
    '  changed, lines 1 2 3',
    '  + verb = "add"',
    '  + n = 7',
    '  + tags = ["t"]',
    'drop 1',
    '  dropped, lines 1 2',
    'route 2',
  ]);
  expect(stdout).toContain('  changed, lines 1 2 3, routed to pager\n');
  expect(stdout).toContain('other\n  unchanged, lines 1 2 3\n');
  const json = await filter('try', FILTER, '--source', log, '--json', '--emitter', 'store', '-n', '3');
  const lines = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatchObject({ changed: true, lines: [1, 2, 3], after: [{ attributes: { n: 7 } }] });
  expect(lines[2]).toMatchObject({ after: [], routes: ['pager'] });
});

test('try reports errors of the run', async () => {
  const log = join(await temporaryDirectory(), 'a.log');
  await writeFile(log, 'x\n');
  const { stderr } = await filter('try', '[n] := number(body)', '--source', log);
  expect(stderr).toBe('Errors: 1\na.filter:1: number: not a number: "x"\n');
});
