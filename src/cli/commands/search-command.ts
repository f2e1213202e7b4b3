import { Command, Option } from 'commander';
import type { FormatDescription } from '../../formats/described/format-description.ts';
import { encodingMisfit } from '../../formats/encodings/encoding-misfit.ts';
import type { NamedEncoding } from '../../formats/encodings/encoding-named.ts';
import { formats } from '../../formats/registry.ts';
import { CommandError } from '../command-error.ts';
import type { Context } from '../context.ts';
import { type LogFlags, logQuestion, withQuestionFlags } from '../monitor/logs/log-flags.ts';
import { printRecords } from '../monitor/logs/print-records.ts';
import { runUntilInterrupted } from '../monitor/monitor-command.ts';
import { terminalOf } from '../monitor/terminal/terminal.ts';
import { describedEncoding } from '../search/described-encoding.ts';
import { describedFormat } from '../search/described-format.ts';
import { formatChoices } from '../search/format-choices.ts';
import type { ReadOptions } from '../search/read-records.ts';
import { searchTarget } from '../search/search-target.ts';
import { withWholeSpan } from '../search/with-whole-span.ts';

const EXAMPLES = `
Searches files without an aggregator: the files are read into a temporary store, which is removed afterwards. Without
--format, the first lines of a file decide its format. A directory must be the state directory of an aggregator that is
not running; search the store of a running one with mega-collector monitor logs.

Examples:
  mega-collector search access.log
  mega-collector search access.log access.log.1 --where status_code=500
  mega-collector search app.log --text 'out of stock' --severity warn --from 3d
  mega-collector search access.log --values 'section(path)'
  mega-collector search access.log --from 2026-01-31 --histogram --interval 1h
  mega-collector search /var/lib/mega-collector/aggregator --json`;

interface Flags extends LogFlags {
  readonly text?: string;
  readonly format?: FormatDescription;
  readonly encoding?: NamedEncoding;
  readonly json?: boolean;
  readonly attributes?: boolean;
}

export function searchCommand({ io }: Context): Command {
  const names = formats.map(({ name }) => name);
  return withQuestionFlags(
    new Command('search')
      .argument('<files...>', 'Log files, or one state directory.')
      .option('-t, --text <text>', 'Only records that contain this text; case is ignored.')
      .addOption(
        new Option(
          '-F, --format <name>',
          `Format of the files: ${formatChoices(names)}. [default: by their first lines]`,
        ).argParser((text) => describedFormat(text, names)),
      )
      .addOption(
        new Option(
          '--encoding <name>',
          'Encoding of the files, such as utf-16 or windows-1252. [default: UTF-8, or UTF-16 by its byte order mark]',
        ).argParser(describedEncoding),
      )
      .option('-a, --attributes', 'Show all attributes of each record.')
      .option('--utc', 'Show times in UTC. [default: the time zone of this machine; JSON is always in UTC]')
      .option('--json', 'Print one JSON object per record (bar, value), one per line.'),
  )
    .addHelpText('after', EXAMPLES)
    .action(async (paths: readonly string[], flags: Flags) => {
      const { json = false, attributes = false } = flags;
      const question = logQuestion(flags.text, flags);
      if (question.kind === 'follow') return;
      const target = await searchTarget(paths);
      const { openDatabaseStore, openFileStore } = await import('../search/open-search-store.ts');
      await runUntilInterrupted({ io }, async (signal) => {
        const store =
          target.kind === 'database'
            ? await openDatabaseStore(target.path)
            : await openFileStore(target.paths, readOptions(flags), signal);
        try {
          const terminal = terminalOf(io, flags);
          const emptyText = target.kind === 'files' ? 'The files are empty.' : 'The store is empty.';
          await printRecords(store, await withWholeSpan(question, store.database), {
            io,
            terminal,
            json,
            attributes,
            emptyText,
          });
        } finally {
          await store.close();
        }
      });
    });
}

/** Throws CommandError for a format that cannot be in the encoding. */
function readOptions({ format, encoding }: Flags): ReadOptions {
  const misfit = format === undefined ? undefined : encodingMisfit(format.name, encoding?.name);
  if (misfit !== undefined) throw new CommandError(`Cannot search: ${misfit}.`);
  return { format, encoding: encoding?.name };
}
