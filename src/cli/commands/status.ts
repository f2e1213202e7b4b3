import { Command } from 'commander';
import { getStatus } from '../../aggregator/api/operations/queue-operations.ts';
import type { AggregatorStatus, AmountReport } from '../../aggregator/api/operations/queue-reports.ts';
import type {
  CollectorStatus,
  ListenerReport,
  StreamBalanceReport,
} from '../../collector/collector-reports.ts';
import { getCollectorStatus } from '../../collector/operations.ts';
import { NOTHING } from '../../records/amount.ts';
import { formatByteSize } from '../../runtime/configuration/byte-size.ts';
import { callOwner } from '../call-owner.ts';
import type { Context } from '../context.ts';
import { liveText } from '../live-text.ts';
import { widthOf } from '../output/io.ts';
import { jsonText } from '../output/json-text.ts';
import { count, printable, textTable } from '../output/text-table.ts';
import { formatParagraph } from '../output/wrap-text.ts';
import { findStateDirectories, type KnownStateDirectory } from '../state-directories.ts';

const EXAMPLES = `
The totals match. Collector: read = accepted + waiting; unread is the rest of the files.
Aggregator, for each emitter: accepted = delivered + filtered + queued + dead-lettered + discarded.

Examples:
  mega-collector status
  mega-collector status --verbose --state-directory /var/lib/mega-collector/collector
  mega-collector status --json | jq .emitters`;

interface StatusOptions {
  readonly stateDirectory?: string;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

export function statusCommand({ io }: Context): Command {
  return new Command('status')
    .option(
      '--state-directory <path>',
      'State directory of a collector or an aggregator; default: the configured ones.',
    )
    .option('--verbose', 'Show every stream of a collector, with the path of its file.')
    .option('--json', 'Print one JSON object per state directory, one per line.')
    .addHelpText('after', EXAMPLES)
    .action(async ({ stateDirectory, verbose = false, json = false }: StatusOptions) => {
      const width = widthOf(io.stdout);
      for (const directory of await findStateDirectories(io, stateDirectory)) {
        const { path, role } = directory;
        const { answer: status, running } =
          role === 'aggregator'
            ? await callOwner(io, directory, getStatus, {})
            : await callOwner(io, directory, getCollectorStatus, { query: { verbose } });
        io.stdout.write(
          json
            ? `${jsonText({ ...status, stateDirectory: path, running })}\n`
            : `${heading(directory, running, width)}${statusText(status, width)}\n`,
        );
      }
    });
}

function heading({ role, path }: KnownStateDirectory, running: boolean, width: number | undefined): string {
  const text = `${role}  ${printable(path)}  ${running ? 'running' : 'not running'}`;
  return `${formatParagraph(text, width, 2)}\n`;
}

function statusText(status: AggregatorStatus | CollectorStatus, width: number | undefined): string {
  return status.role === 'aggregator' ? aggregatorText(status, width) : collectorText(status, width);
}

const RIGHT = { right: true } as const;

type AmountName = 'before' | 'delivered' | 'filtered' | 'queued' | 'deadLettered' | 'discarded';

function aggregatorText(status: AggregatorStatus, width: number | undefined): string {
  const { accepted, emitters, diskBytes, filters = [] } = status;
  const total = `accepted ${amountText(accepted)}; the queue takes ${formatByteSize(diskBytes)} on disk`;
  const begun = emitters.some(({ before }) => before.bytes > 0 || before.records > 0);
  const hasFiltered = emitters.some(({ filtered = NOTHING }) => filtered.records > 0);
  const parts: readonly (readonly [string, AmountName])[] = [
    ...(begun ? [['before', 'before'] as const] : []),
    ['delivered', 'delivered'],
    ...(hasFiltered ? [['filtered', 'filtered'] as const] : []),
    ['queued', 'queued'],
    ['dead-lettered', 'deadLettered'],
    ['discarded', 'discarded'],
  ];
  const columns = [{ title: 'emitter' }, ...parts.map(([title]) => ({ title, ...RIGHT }))];
  const rows = emitters.map((balance) => [
    printable(balance.emitter),
    ...parts.map(([, part]) => amountText(balance[part] ?? NOTHING)),
  ]);
  return `${formatParagraph(total, width)}\n${textTable(columns, rows, width)}${liveText(status, width)}${filtersText(filters, width)}`;
}

/** The filters that need attention. */
function filtersText(filters: NonNullable<AggregatorStatus['filters']>, width: number | undefined): string {
  return filters
    .filter(({ state }) => state !== 'active')
    .map(({ emitter, state, problems }) => {
      const why =
        state === 'pending'
          ? 'a changed filter waits until the batches before it are delivered'
          : `the file of the filter is invalid, and the last valid filter is in use: ${problems.join('; ')}`;
      return `\n${formatParagraph(printable(`${emitter}: ${why}`), width, 2)}`;
    })
    .join('');
}

function amountText({ records, bytes }: AmountReport): string {
  return `${count(records)} (${formatByteSize(bytes)})`;
}

function collectorText(
  { streams, listeners = [], lost = 0, ...all }: CollectorStatus,
  width: number | undefined,
): string {
  const rows = [
    ...(streams ?? []).map((each) => [printable(each.source), printable(each.stream), ...bytes(each)]),
    ['all streams', '', ...bytes(all)],
  ];
  const columns = [
    { title: streams === undefined ? '' : 'source', wraps: true as const },
    { title: streams === undefined ? '' : 'stream' },
    ...['read', 'accepted', 'waiting', 'unread'].map((title) => ({ title: `${title} (bytes)`, ...RIGHT })),
  ];
  const losses =
    lost === 0
      ? ''
      : `\nlost  ${count(lost)} bytes were gone before they could be read; the log has their files\n`;
  return `${textTable(columns, rows, width)}${losses}${listenersText(listeners, width)}`;
}

function listenersText(listeners: readonly ListenerReport[], width: number | undefined): string {
  if (listeners.length === 0) return '';
  const columns = [
    { title: 'listener', wraps: true as const },
    { title: 'state', wraps: true as const },
    ...['connections', 'senders', 'dropped'].map((title) => ({ title, ...RIGHT })),
  ];
  return `\n${textTable(columns, listeners.flatMap(listenerRows), width)}`;
}

/** A listener, and its clients below it. */
function listenerRows(report: ListenerReport): string[][] {
  const { listener, state, address, failure, connections, senders, dropped, clients = [] } = report;
  const place = address === undefined ? state : `${state} at ${address}`;
  const lost = dropped.noRoom + (dropped.kernel ?? 0) + (dropped.thread ?? 0);
  const open = connections === undefined ? '' : count(connections);
  return [
    [printable(listener), printable(failure ?? place), open, count(senders), count(lost)],
    ...clients.map((client) => [`  ${printable(client.address)}`, '', count(client.sockets), '', '']),
  ];
}

function bytes({ read, accepted, waiting, unread }: StreamBalanceReport): string[] {
  return [read, accepted, waiting, unread].map(count);
}
