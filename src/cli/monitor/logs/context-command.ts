import type { Command } from 'commander';
import { contextRequest, type LogEntry } from '../../../logstore/logs/log-requests.ts';
import type { Context } from '../../context.ts';
import { type FlagNames, FlagValues } from '../flag-values.ts';
import { collect } from '../metrics/metric-flags.ts';
import { type MonitorFlags, monitorCommand, openApi } from '../monitor-command.ts';
import { jsonLine } from '../terminal/sanitize-for-terminal.ts';
import { terminalOf } from '../terminal/terminal.ts';
import { logText } from './log-text.ts';

const EXAMPLES = `
Shows the records before and after a record in its stream, which is the order of the lines in their file. --json of
monitor logs shows the stream and the position of a record.

Examples:
  mega-collector monitor context 0197c0de00007000800000000000000a 4096
  mega-collector monitor context 0197c0de00007000800000000000000a 4096 --direction before -n 50
  mega-collector monitor context 0197c0de00007000800000000000000a 4096 --where 'severity >= warn'`;

interface Flags extends MonitorFlags {
  readonly direction?: string;
  readonly limit?: string;
  readonly where?: readonly string[];
  readonly time?: string;
  readonly attributes?: boolean;
}

const FLAGS: FlagNames = {
  stream: 'STREAM',
  position: 'POSITION',
  direction: '--direction',
  limit: '-n',
  where: '--where',
  time: '--time',
};

export function contextCommand({ io }: Context): Command {
  return monitorCommand('context', 'Print one JSON object per record, one per line.')
    .description('Show the records before and after a record in its stream.')
    .argument('<stream>', 'Stream of the record.')
    .argument('<position>', 'Position of the record in its stream.')
    .option('-d, --direction <direction>', 'before, after or around. [default around]')
    .option('-n, --limit <n>', 'Number of records. [default 100]')
    .option('-w, --where <condition>', 'Only records for which this is true. May be repeated.', collect)
    .option('--time <time>', 'Time of the record, which makes the query faster in PostgreSQL.')
    .option('-a, --attributes', 'Show all attributes of each record.')
    .addHelpText('after', EXAMPLES)
    .action(async (stream: string, position: string, flags: Flags) => {
      const values = new FlagValues();
      const request = values.checked(
        contextRequest,
        {
          stream,
          position: values.number('POSITION', position),
          direction: flags.direction,
          limit: values.number('-n', flags.limit),
          where: values.pairs('--where', flags.where),
          time: values.moment('--time', flags.time, flags.utc ? 'utc' : 'local'),
        },
        FLAGS,
      );
      const { entries, withinSeconds } = await (await openApi(flags, io)).context(request);
      const terminal = terminalOf(io, flags);
      const { json = false, attributes = false } = flags;
      const lineOf = (entry: LogEntry) => (json ? jsonLine(entry) : logText(entry, { terminal, attributes }));
      io.stdout.write(entries.map(lineOf).join(''));
      if (entries.length === 0) io.stderr.write('mega-collector: The store has no such records.\n');
      if (withinSeconds !== null) io.stderr.write(nearOnly(withinSeconds));
    });
}

function nearOnly(seconds: number): string {
  return `mega-collector: Only records with a time within ${seconds} s of that of the record were searched: the whole stream takes too long.\n`;
}
