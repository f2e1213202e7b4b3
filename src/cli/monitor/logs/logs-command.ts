import type { Command } from 'commander';
import type { LogEntry } from '../../../logstore/logs/log-requests.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { Context } from '../../context.ts';
import { AggregatorApi } from '../api/aggregator-api.ts';
import { readConnection } from '../api/connection.ts';
import { type MonitorFlags, monitorCommand, untilInterrupted } from '../monitor-command.ts';
import { jsonLine } from '../terminal/harmless.ts';
import { terminalOf } from '../terminal/terminal.ts';
import { follow } from './follow.ts';
import { type LogFlags, type LogQuestion, logQuestion, withLogFlags } from './log-flags.ts';
import { logText } from './log-text.ts';
import { isEmpty } from './no-records.ts';
import { printRecords } from './print-records.ts';

const EXAMPLES = `
The newest records that match, the newest last; all that is given must hold. Properties are attributes by their
OpenTelemetry names, or by the short names of access logs: status_code, request_route, ruser, section(path), ...
Piped, a record is one line of text; with --json one JSON object, in the same order.

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
      .description('Search the stored records, and follow them.')
      .argument('[text...]', 'What the record says, whatever the case.')
      .option('-a, --attributes', 'All attributes of each record.'),
  )
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], flags: Flags) => {
      const question = logQuestion(words.length === 0 ? undefined : words.join(' '), flags);
      const connection = await readConnection(flags, io);
      await untilInterrupted({ io }, (signal) =>
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
    await follow(
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

const EMPTY_STORE = `The store is empty: no records have arrived. To send some:
  mega-collector collector --tail '/var/log/*.log'
If a collector runs already, mega-collector status shows what it has read and what waits.`;

/** Where aggregator and collector were started in the lines before, the first records are on their way. */
async function firstRecords(api: AggregatorApi, signal: AbortSignal): Promise<void> {
  while (api.mayBeStarting && (await isEmpty(api))) await systemClock.sleep(LOOK_AGAIN_MS, signal);
}
