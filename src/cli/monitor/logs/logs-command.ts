import type { Command } from 'commander';
import type { LogEntry } from '../../../logstore/logs/log-requests.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { Context } from '../../context.ts';
import { AggregatorApi } from '../api/aggregator-api.ts';
import { readConnection } from '../api/connection.ts';
import { type MonitorFlags, monitorCommand, runUntilInterrupted } from '../monitor-command.ts';
import { jsonLine } from '../terminal/sanitize-for-terminal.ts';
import { terminalOf } from '../terminal/terminal.ts';
import { followLogs } from './follow-logs.ts';
import { type LogFlags, type LogQuestion, logQuestion, withLogFlags } from './log-flags.ts';
import { logText } from './log-text.ts';
import { isEmpty } from './no-records-text.ts';
import { printRecords } from './print-records.ts';

const EXAMPLES = `
Shows the newest records that match all conditions, the newest last. A property is an attribute by its OpenTelemetry
name, or by the short name of access logs: status_code, request_route, ruser, section(path), ... In a pipe, each record
is one line of text, or with --json one JSON object.

Examples:
  mega-collector monitor logs
  mega-collector monitor logs timeout --from 1h --severity warn
  mega-collector monitor logs --where status_code=500 --where request_method=POST --attributes
  mega-collector monitor logs --follow --service shop
  mega-collector monitor logs --from 24h --histogram --interval 1h
  mega-collector monitor logs --values 'section(path)' -n 10
  mega-collector monitor logs --json -n 1000 | jq -r .body`;

interface Flags extends MonitorFlags, LogFlags {
  readonly attributes?: boolean;
}

export function logsCommand({ io }: Context): Command {
  return withLogFlags(
    monitorCommand('logs', 'Print one JSON object per record (bar, value), one per line.')
      .description('Search and follow the stored records.')
      .argument('[text...]', 'Text that the record must contain; case is ignored.')
      .option('-a, --attributes', 'Show all attributes of each record.'),
  )
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], flags: Flags) => {
      const question = logQuestion(words.length === 0 ? undefined : words.join(' '), flags);
      const connection = await readConnection(flags, io);
      await runUntilInterrupted({ io }, (signal) =>
        answer(question, { api: new AggregatorApi(connection, signal), flags, signal }),
      );
    });

  async function answer(
    question: LogQuestion,
    { api, flags, signal }: { api: AggregatorApi; flags: Flags; signal: AbortSignal },
  ): Promise<void> {
    const { json = false, attributes = false } = flags;
    const terminal = terminalOf(io, flags);
    if (question.kind !== 'follow') {
      await firstRecords(api, signal);
      await printRecords(api, question, { io, terminal, json, attributes, emptyText: EMPTY_STORE });
      return;
    }
    const lineOf = (entry: LogEntry) => (json ? jsonLine(entry) : logText(entry, { terminal, attributes }));
    await followLogs(
      {
        api,
        clock: systemClock,
        request: question.request,
        recent: question.recent,
        show: (entry) => void io.stdout.write(lineOf(entry)),
        say: (sentence) => void io.stderr.write(`mega-collector: ${sentence}\n`),
      },
      signal,
    );
  }
}

const LOOK_AGAIN_MS = 200;

const EMPTY_STORE = `The store is empty. To send records to it:
  mega-collector collector --tail '/var/log/*.log'
If a collector is running, mega-collector status shows how much it has read and sent.`;

/** If aggregator and collector were started a moment ago, the first records may be on their way. */
async function firstRecords(api: AggregatorApi, signal: AbortSignal): Promise<void> {
  while (api.mayBeStarting && (await isEmpty(api))) await systemClock.sleep(LOOK_AGAIN_MS, signal);
}
