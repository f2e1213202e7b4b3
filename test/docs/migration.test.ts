import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { run } from '../../src/cli/run.ts';
import { compileFilter } from '../../src/filters/compile-filter.ts';
import { problemText } from '../../src/filters/filter-problem.ts';
import type { FilterTables, LookupTable } from '../../src/filters/filter-tables.ts';
import { runFilterTests } from '../../src/filters/filter-tests.ts';
import { runCommand } from '../../testkit/running-process.ts';
import { capturedIo } from '../support/captured-io.ts';
import { filterTables } from '../support/filter-tables.ts';
import { findFluentBit } from '../support/fluent-bit.ts';
import { findLogDaemon, type LogDaemon } from '../support/log-daemons.ts';
import type { MarkdownBlock } from '../support/markdown-blocks.ts';
import { MIGRATION_PAGES, migrationPage } from '../support/migration-pages.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const OURS = MIGRATION_PAGES.flatMap((page) => migrationPage(page).ours);
const FILTERS = MIGRATION_PAGES.flatMap((page) => migrationPage(page).filters);
const theirs = (page: string) => migrationPage(page).theirs;

/** The names that a page gives to the filters of its configurations. */
const FILTER_NAMES = ['default', 'store', 'siem'];
const FILTER_DIRECTORY = '/etc/mega-collector/filters';
/** The pages show plain connections and link to the page about TLS, and their log files are not on this machine. */
const EXPECTED_WARNING = /matches no file|without (?:encryption|TLS)|unencrypted/;
const TOKEN_FILE = '/etc/mega-collector/tokens';

/** With the table that the aggregator keeps of the pods of a cluster. */
const TABLES: FilterTables = {
  ...filterTables(),
  lookup: (file) => (file === 'kubernetes-pods.csv' ? PODS : 'it does not exist'),
};
const PODS: LookupTable = { columns: ['uid', 'app'], rows: new Map() };

/** Our configuration with files of the test in the place of those in /etc. */
async function configurationFile({ text }: MarkdownBlock): Promise<string> {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'filters'));
  for (const name of FILTER_NAMES) await writeFile(join(directory, 'filters', `${name}.filter`), 'stop');
  await writeFile(join(directory, 'tokens'), 'a-token-of-the-test\n');
  const path = join(directory, 'configuration.yaml');
  const local = text
    .replace(FILTER_DIRECTORY, join(directory, 'filters'))
    .replace(TOKEN_FILE, join(directory, 'tokens'));
  await writeFile(path, local, { mode: 0o600 });
  return path;
}

function serviceOf({ text }: MarkdownBlock): string {
  const halves = ['COLLECTOR_', 'AGGREGATOR_'].map((prefix) => new RegExp(`^${prefix}`, 'm').test(text));
  if (halves.every(Boolean)) return 'standalone';
  return halves[0] === true ? 'collector' : 'aggregator';
}

test('each page has three to five configurations of the other program with ours', () => {
  for (const page of MIGRATION_PAGES) {
    const { theirs, ours } = migrationPage(page);
    expect([page, theirs.length >= 4, ours.length >= 4]).toEqual([page, true, true]);
  }
});

describe('our configurations', () => {
  test.each(OURS)('the one in $page, line $line, is valid', async (block) => {
    const { io, stderr } = capturedIo({ environment: { HOME: '/home/ann' } });
    const path = await configurationFile(block);
    const code = await run(['config', 'check', serviceOf(block), '--config', path], io);
    const problems = stderr()
      .split('\n')
      .filter((line) => line !== '' && !EXPECTED_WARNING.test(line));
    expect({ code, problems }).toEqual({ code: 0, problems: [] });
  });

  test.each(FILTERS)('the filter in $page, line $line, loads and passes its tests', ({ text }) => {
    const compiled = compileFilter(text, { file: 'default.filter', tables: TABLES });
    expect(compiled.kind === 'problems' ? compiled.problems.map(problemText) : []).toEqual([]);
    const results = runFilterTests(text, { file: 'default.filter', tables: TABLES });
    expect(results.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expect(results.length).toBe(text.split(/^test /m).length - 1);
  });
});

test.each(MIGRATION_PAGES.flatMap(theirs).filter(({ language }) => language === 'yml'))(
  'the YAML of the other program in $page, line $line, can be parsed',
  ({ text }) => {
    const { errors, warnings } = parseDocument(text, { uniqueKeys: true });
    expect([...errors, ...warnings]).toEqual([]);
  },
);

const rsyslog = findLogDaemon('rsyslog', 'ompgsql');

test.skipIf(rsyslog === undefined).each(theirs('docs/from-rsyslog.md'))(
  'rsyslog accepts the configuration in $page, line $line',
  async ({ text }) => {
    const path = join(await temporaryDirectory(), 'rsyslog.conf');
    await writeFile(path, `global(workDirectory="${join(path, '..')}")\n${text}`);
    const { command, args, env } = rsyslog as LogDaemon;
    await runCommand({ name: 'rsyslogd -N1', command, args: ['-N1', '-f', path, ...args], env });
  },
);

const syslogNg = findLogDaemon('syslog-ng');

test.skipIf(syslogNg === undefined).each(theirs('docs/from-syslog-ng.md'))(
  'syslog-ng accepts the configuration in $page, line $line',
  async ({ text }) => {
    const path = join(await temporaryDirectory(), 'syslog-ng.conf');
    await writeFile(path, text);
    const { command, args, env } = syslogNg as LogDaemon;
    const check = ['--syntax-only', '--no-caps', `--cfgfile=${path}`, ...args];
    await runCommand({ name: 'syslog-ng --syntax-only', command, args: check, env });
  },
);

const fluentBit = findFluentBit(['tail', 'forward', 'file']);

test.skipIf(fluentBit === undefined).each(theirs('docs/from-fluent-bit.md').slice(0, 2))(
  'Fluent Bit accepts the configuration in $page, line $line',
  async ({ text }) => {
    const path = join(await temporaryDirectory(), 'fluent-bit.yaml');
    await writeFile(path, text);
    const args = ['--dry-run', '--config', path];
    await runCommand({ name: 'fluent-bit --dry-run', command: fluentBit as string, args });
  },
);
