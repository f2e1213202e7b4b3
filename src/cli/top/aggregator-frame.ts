import type { CollectorReport, StreamReport } from '../../aggregator/api/operations/intake-reports.ts';
import type { EmitterBalanceReport } from '../../aggregator/api/operations/queue-reports.ts';
import type { Cell, TableColumn } from '../monitor/terminal/format-table.ts';
import type { Style } from '../monitor/terminal/terminal.ts';
import { count, printable } from '../output/text-table.ts';
import { emitterRate, intakeRate } from './top-rates.ts';
import type { AggregatorReading, TopView } from './top-reading.ts';
import type { TopSection } from './top-section.ts';
import { bytesRateText, bytesText, endText, lagText, rateText } from './top-text.ts';

const RIGHT = { right: true } as const;

export function aggregatorSection(now: AggregatorReading, view: TopView): TopSection {
  const { status, collectors, streams } = now;
  const hosts = new Map(collectors.map(({ id, host }) => [id, host]));
  return {
    lines: summaryOf(now, view),
    tables: [
      { columns: EMITTERS, rows: status.emitters.map((each) => emitterRow(each, view)) },
      ...(collectors.length === 0
        ? []
        : [{ columns: COLLECTORS, rows: collectors.map(collectorRow), isLong: true as const }]),
      ...(streams.length === 0
        ? []
        : [
            {
              columns: STREAMS,
              rows: streams.map((each) => streamRow(each, hosts)),
              isLong: true as const,
            },
          ]),
    ],
  };
}

function summaryOf(now: AggregatorReading, view: TopView): readonly string[] {
  const { disk, intake, diskBytes, health } = now.status;
  const { recordsPerSecond, bytesPerSecond } = intakeRate(now, view);
  const limit = disk === undefined ? '' : ` of ${bytesText(disk.limitBytes)}`;
  const free = disk?.freeBytes == null ? '' : `, ${bytesText(disk.freeBytes)} free on the disk`;
  const from = intake === undefined ? '' : `; connected collectors: ${count(intake.collectors)}`;
  return [
    `receiving ${rateText(recordsPerSecond)} records/s, ${bytesRateText(bytesPerSecond)}${from}`,
    `queue ${bytesText(disk?.usedBytes ?? diskBytes)}${limit}${free}`,
    ...(health?.problems ?? []).map((problem) => `! ${printable(problem)}`),
  ];
}

const EMITTERS: readonly TableColumn[] = [
  { title: 'EMITTER', flexible: true },
  { title: 'STATE' },
  ...['RECORDS/S', 'QUEUED', 'LAG', 'ETA', 'DEAD', 'DISCARDED'].map((title) => ({ title, ...RIGHT })),
];

const STATE_STYLES: Readonly<Record<string, Style>> = {
  running: 'green',
  retrying: 'yellow',
  holding: 'red',
  failed: 'red',
  stopped: 'red',
};

function emitterRow(report: EmitterBalanceReport, view: TopView): readonly Cell[] {
  const { emitter, state = '-', queued, lagSeconds, deadLettered, discarded } = report;
  const { recordsPerSecond, catchUpSeconds } = emitterRate(report, view);
  const lost = (records: number): Cell => (records > 0 ? { text: count(records), style: 'red' } : '0');
  return [
    printable(emitter),
    { text: state, style: STATE_STYLES[state] ?? 'dim' },
    rateText(recordsPerSecond),
    count(queued.records),
    lagText(lagSeconds),
    endText(catchUpSeconds, queued.records),
    lost(deadLettered.records),
    lost(discarded.records),
  ];
}

const COLLECTORS: readonly TableColumn[] = [
  { title: 'COLLECTOR', flexible: true },
  { title: 'STATE' },
  ...['STREAMS', 'BACKLOG', 'LOST', 'DROPPED'].map((title) => ({ title, ...RIGHT })),
];

function collectorRow(report: CollectorReport): readonly Cell[] {
  const { host, connected, reports, streams, lagBytes, lostBytes, listeners } = report;
  const dropped = listeners.reduce((sum, each) => sum + each.dropped + each.kernelDropped, 0);
  const known = (text: string) => (reports ? text : '-');
  return [
    printable(host),
    connected ? { text: 'connected', style: 'green' } : { text: 'gone', style: 'red' },
    known(count(streams)),
    known(bytesText(lagBytes)),
    known(bytesText(lostBytes)),
    known(count(dropped)),
  ];
}

const STREAMS: readonly TableColumn[] = [
  { title: 'STREAM', flexible: true },
  { title: 'COLLECTOR', flexible: true },
  ...['RECORDS/S', 'BYTES/S', 'ACCEPTED'].map((title) => ({ title, ...RIGHT })),
];

function streamRow(report: StreamReport, hosts: ReadonlyMap<string, string>): readonly Cell[] {
  const { collector, resource, recordsPerSecond, bytesPerSecond, acceptedBytes } = report;
  return [
    printable(nameOf(report)),
    printable(hosts.get(collector) ?? resource['host.name'] ?? collector),
    rateText(recordsPerSecond),
    bytesRateText(bytesPerSecond),
    bytesText(acceptedBytes),
  ];
}

/** The origin of a stream, for people. */
export function nameOf({ stream, resource }: Pick<StreamReport, 'stream' | 'resource'>): string {
  return resource['log.file.path'] ?? resource['service.name'] ?? stream;
}
