import { once } from 'node:events';
import type { Command } from 'commander';
import { z } from 'zod';
import { logFilter, SEVERITIES, timeRange } from '../../../logstore/logs/log-requests.ts';
import type { Context } from '../../context.ts';
import { AggregatorApi } from '../api/aggregator-api.ts';
import { readConnection } from '../api/connection.ts';
import { type FlagNames, FlagValues } from '../flag-values.ts';
import { collect } from '../metrics/metric-flags.ts';
import { type MonitorFlags, monitorCommand, runUntilInterrupted } from '../monitor-command.ts';

const EXAMPLES = `
Writes the records to standard output, newest first, as they arrive. An export that is broken off ends with a line that
begins with {"error" (ndjson) or #error (csv, text).

Examples:
  mega-collector monitor export --from 1h > logs.ndjson
  mega-collector monitor export timeout --from 24h --severity warn --format csv > logs.csv
  mega-collector monitor export --where 'group("checkout")' -n 1000000 --json | gzip > logs.ndjson.gz`;

interface Flags extends MonitorFlags {
  readonly format?: string;
  readonly from?: string;
  readonly to?: string;
  readonly severity?: string;
  readonly host?: string;
  readonly service?: string;
  readonly where?: readonly string[];
  readonly limit?: string;
}

const FLAGS: FlagNames = {
  text: 'TEXT',
  format: '--format',
  from: '--from',
  to: '--to',
  severity: '--severity',
  host: '--host',
  service: '--service',
  where: '--where',
  limit: '-n',
};

const request = z.strictObject({
  ...timeRange.shape,
  ...logFilter.shape,
  format: z.enum(['ndjson', 'csv', 'text']),
  limit: z.int().min(1).max(1_000_000).optional(),
});

export function exportCommand({ io }: Context): Command {
  return monitorCommand('export', 'The same as --format ndjson.')
    .description('Write stored records to standard output, newest first.')
    .argument('[text...]', 'Text that the record must contain; case is ignored.')
    .option('-f, --format <format>', 'ndjson, csv or text. [default text; with --json ndjson]')
    .option('--from <time>', 'Start time: 15m or 3d (ago), today, 2026-01-31, 2026-01-31T10:00:00Z.')
    .option('--to <time>', 'End time (exclusive), in the same forms.')
    .option('-s, --severity <severity>', `Minimum severity: ${SEVERITIES.join(', ')}.`)
    .option('-H, --host <name>', 'Only records with this host.name.')
    .option('-S, --service <name>', 'Only records with this service.name.')
    .option('-w, --where <condition>', 'Only records for which this is true. May be repeated.', collect)
    .option('-n, --limit <n>', 'Maximum number of records. [default 100000]')
    .addHelpText('after', EXAMPLES)
    .action(async (words: readonly string[], flags: Flags) => {
      const asked = requestOf(words, flags);
      const connection = await readConnection(flags, io);
      await runUntilInterrupted({ io }, async (signal) => {
        const { stdout } = io;
        for await (const part of new AggregatorApi(connection, signal).download(asked))
          if (!stdout.write(part)) await once(stdout, 'drain', { signal });
      });
    });
}

function requestOf(words: readonly string[], flags: Flags): z.output<typeof request> {
  const values = new FlagValues();
  const { severity, host, service } = flags;
  const timeZone = flags.utc ? 'utc' : 'local';
  const asked = {
    text: words.length === 0 ? undefined : words.join(' '),
    severity,
    host,
    service,
    format: flags.format ?? (flags.json ? 'ndjson' : 'text'),
    from: values.moment('--from', flags.from, timeZone),
    to: values.moment('--to', flags.to, timeZone),
    where: values.pairs('--where', flags.where),
    limit: values.number('-n', flags.limit),
  };
  return values.checked(request, asked, FLAGS);
}
