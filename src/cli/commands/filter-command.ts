import { Command, Option } from 'commander';
import { listFilterErrors } from '../../aggregator/api/operations/filter-operations.ts';
import { jsonRecord } from '../../emitters/json-record.ts';
import { compileFilter, type FilterTrace } from '../../filters/compile-filter.ts';
import { type FilterTestResult, recordsAfter, runFilterTests } from '../../filters/filter-tests.ts';
import type { FormatDescription } from '../../formats/described/format-description.ts';
import { formats } from '../../formats/registry.ts';
import type { LogRecord } from '../../records/log-record.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { type AggregatorFlags, callFilters, withAggregator } from '../filter/call-filters.ts';
import { checkText } from '../filter/check-text.ts';
import { errorsText } from '../filter/errors-text.ts';
import { type FilterFlags, openFilter, withFilterFlags } from '../filter/open-filter.ts';
import { readTriedRecords } from '../filter/read-tried-records.ts';
import { reportProblems } from '../filter/report-problems.ts';
import { reportTryErrors } from '../filter/report-try-errors.ts';
import { valuesOfRecord } from '../filter/tried-values.ts';
import { tryLive } from '../filter/try-live.ts';
import { jsonTry, tryText } from '../filter/try-text.ts';
import { runUntilInterrupted } from '../monitor/monitor-command.ts';
import { EXIT } from '../output/exit-codes.ts';
import { widthOf } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { printable } from '../output/text-table.ts';
import { describedFormat } from '../search/described-format.ts';

const EXAMPLES = `
A filter changes, drops, splits and routes records between the queue and an emitter. docs/filters.md describes the
language. The exit code is 1 if a filter has a mistake or a test fails.

Examples:
  mega-collector filter check web.filter
  mega-collector filter test web.filter --geoip GeoLite2-City.mmdb
  mega-collector filter try web.filter --source /var/log/nginx/access.log
  mega-collector filter try web.filter --live --count 20
  mega-collector filter errors --url https://logs.example.com --token-file ~/.logs-token
  journalctl -o cat -u sshd | mega-collector filter try ssh.filter --source /dev/stdin --json`;

export function filterCommand(context: Context): Command {
  const command = new Command('filter').addHelpText('after', EXAMPLES);
  command.addCommand(checkCommand(context));
  command.addCommand(testCommand(context));
  command.addCommand(tryCommand(context));
  command.addCommand(errorsCommand(context));
  return command;
}

function checkCommand(context: Context): Command {
  return withFilterFlags(new Command('check'))
    .description(
      'Check a filter: mistakes, the verdict of each pattern, the fields that it reads and writes.',
    )
    .action(async (file: string, flags: FilterFlags) => {
      const { text, tables } = await openFilter(file, flags);
      const compiled = compileFilter(text, { file, tables });
      const { stdout } = context.io;
      if (compiled.kind === 'problems') return reportProblems(context, compiled.problems, flags);
      const { program } = compiled;
      if (flags.json !== true) {
        stdout.write(checkText(file, program, tables.patternLines, widthOf(stdout)));
        return;
      }
      const { patternLines } = tables;
      const { name, reads, facts } = program;
      const emitters = program.routes === undefined ? undefined : [...program.routes];
      const report = { name, needs: reads, ...facts, emitters, pattern_files: patternLines };
      stdout.write(`${jsonText({ problems: [], ...report }, 2)}\n`);
    });
}

function testCommand(context: Context): Command {
  return withFilterFlags(new Command('test'))
    .description('Run the tests in a filter.')
    .action(async (file: string, flags: FilterFlags) => {
      const { text, tables } = await openFilter(file, flags);
      const compiled = compileFilter(text, { file, tables });
      if (compiled.kind === 'problems') return reportProblems(context, compiled.problems, flags);
      const results = runFilterTests(text, { file, tables });
      const failed = results.filter(({ failure }) => failure !== undefined);
      context.exitCode = failed.length === 0 ? EXIT.ok : EXIT.failure;
      context.io.stdout.write(flags.json === true ? jsonResults(results) : testsText(file, results));
    });
}

function jsonResults(results: readonly FilterTestResult[]): string {
  const shown = results.map(({ name, line, failure }) => ({
    name,
    line,
    passed: failure === undefined,
    ...(failure === undefined
      ? {}
      : { failed_line: failure.line, reason: failure.reason, records: failure.records.map(jsonRecordValue) }),
  }));
  return `${jsonText(shown, 2)}\n`;
}

function testsText(file: string, results: readonly FilterTestResult[]): string {
  if (results.length === 0) return `${printable(file)} has no tests.\n`;
  const lines = results.flatMap(({ name, line, failure }) => {
    if (failure === undefined) return [`ok      ${printable(name)}`];
    const after = failure.records.map((record) => `          ${printable(jsonRecord(record))}`);
    const title = `failed  ${printable(name)} (${printable(file)}:${line})`;
    return [title, `        line ${failure.line}: ${printable(failure.reason)}`, ...after];
  });
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  return `${[...lines, `${results.length - failed} passed, ${failed} failed`].join('\n')}\n`;
}

interface TryFlags extends FilterFlags, AggregatorFlags {
  readonly source?: string;
  readonly live?: boolean;
  readonly format?: FormatDescription;
  readonly emitter?: string;
  readonly count: string;
}

function tryCommand(context: Context): Command {
  const names = formats.map(({ name }) => name);
  const command = withFilterFlags(new Command('try'))
    .description(
      'Run a filter on the records of a file or of an aggregator: the changes and the lines that ran.',
    )
    .option('--source <path>', 'Log file. /dev/stdin is the standard input.')
    .option(
      '--live',
      'Use the newest records of a running aggregator, and its tables. Nothing is changed there.',
    )
    .addOption(
      new Option('-F, --format <name>', 'Format of the file. [default: by its first lines]').argParser(
        (text) => describedFormat(text, names),
      ),
    )
    .option('--emitter <name>', 'Drop the records that `route` sends to other emitters. [default: drop none]')
    .option('-n, --count <n>', 'Number of records; with --live at most 100. [default: 100]', '100');
  return withAggregator(command).action((file: string, flags: TryFlags) => tryFilter(context, file, flags));
}

function errorsCommand({ io }: Context): Command {
  return withAggregator(new Command('errors'))
    .description('List the errors of the filters of a running aggregator, by line, with the first samples.')
    .option('--json', 'Print JSON.')
    .action(async (flags: AggregatorFlags & { readonly json?: boolean }) => {
      const { errors } = await callFilters(io, flags, listFilterErrors, {});
      io.stdout.write(flags.json === true ? `${jsonText(errors, 2)}\n` : errorsText(errors));
    });
}

async function tryFilter(context: Context, file: string, flags: TryFlags): Promise<void> {
  const count = Number(flags.count);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new CommandError(
      `Cannot read --count ${printable(flags.count)}: expected a number such as 100.`,
      EXIT.usage,
    );
  const { source, live } = flags;
  if ((source === undefined) === (live !== true))
    throw new CommandError('Name the records with --source FILE, or with --live, not both.', EXIT.usage);
  if (source === undefined) return tryLive(context, file, { ...flags, count });
  const { text, tables } = await openFilter(file, flags);
  const trace: FilterTrace = { lines: new Set(), routes: new Set() };
  const compiled = compileFilter(text, { file, tables, emitter: flags.emitter, trace });
  if (compiled.kind === 'problems') return reportProblems(context, compiled.problems, flags);
  const { program } = compiled;
  const { io } = context;
  await runUntilInterrupted({ io }, async (signal) => {
    for (const before of await readTriedRecords(source, { format: flags.format, count }, signal)) {
      const result = program.run(before);
      const after = recordsAfter(before, result);
      const ran = {
        isChanged: result.kind === 'records',
        lines: [...trace.lines].sort((a, b) => a - b),
        routes: [...trace.routes],
      };
      const records = { before: jsonRecordValue(before), after: after.map(jsonPart) };
      io.stdout.write(
        flags.json === true
          ? jsonTry(records, ran)
          : tryText({
              body: before.body,
              before: valuesOfRecord(before),
              after: after.map((each) => ({ part: each.part, values: valuesOfRecord(each) })),
              ...ran,
            }),
      );
    }
  });
  reportTryErrors(io, file, program.errors);
}

function jsonPart(record: LogRecord): unknown {
  return { ...jsonRecordValue(record), part: record.part };
}

function jsonRecordValue(record: Parameters<typeof jsonRecord>[0]): Record<string, unknown> {
  return JSON.parse(jsonRecord(record)) as Record<string, unknown>;
}
