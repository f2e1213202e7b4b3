import type { ListenerReport, TopStreamReport } from '../../collector/collector-reports.ts';
import type { Cell, TableColumn } from '../monitor/terminal/format-table.ts';
import { count, printable } from '../output/text-table.ts';
import { backlogOf, collectorRate } from './top-rates.ts';
import type { CollectorReading, TopView } from './top-reading.ts';
import type { TopSection } from './top-section.ts';
import { bytesRateText, bytesText, endText, lagText, rateText, UNKNOWN_TEXT } from './top-text.ts';

const RIGHT = { right: true } as const;

export function collectorSection(now: CollectorReading, view: TopView): TopSection {
  const { status } = now;
  const { listeners = [], top = [] } = status;
  return {
    lines: summaryOf(now, view),
    tables: [
      ...(listeners.length === 0
        ? []
        : [{ columns: LISTENERS, rows: listeners.map((each) => listenerRow(each, view)) }]),
      ...(top.length === 0 ? [] : [{ columns: STREAMS, rows: top.map(streamRow), isLong: true as const }]),
    ],
  };
}

function summaryOf(now: CollectorReading, view: TopView): readonly string[] {
  const { aggregator, streamCount, lost = 0, sentRecords } = now.status;
  const { recordsPerSecond, bytesPerSecond, catchUpSeconds } = collectorRate(now, view);
  const backlog = backlogOf(now);
  const eta =
    backlog === 0 || catchUpSeconds === undefined ? '' : `, caught up in ${endText(catchUpSeconds, backlog)}`;
  const to =
    aggregator === undefined ? 'no connection to an aggregator' : `sending to ${printable(aggregator)}`;
  return [
    `${rateText(recordsPerSecond)} records/s, ${bytesRateText(bytesPerSecond)}; backlog ${bytesText(backlog)}${eta}`,
    `${count(streamCount ?? 0)} streams; lost ${bytesText(lost)}${sentRecords === undefined ? '' : `; ${to}`}`,
  ];
}

const STREAMS: readonly TableColumn[] = [
  { title: 'STREAM', flexible: true },
  ...['RECORDS/S', 'BYTES/S', 'BACKLOG', 'LAG', 'ETA'].map((title) => ({ title, ...RIGHT })),
];

function streamRow(stream: TopStreamReport): readonly Cell[] {
  const { source, recordsPerSecond, bytesPerSecond, waiting, unread, lagSeconds, catchUpSeconds } = stream;
  const backlog = waiting + unread;
  const eta = bytesPerSecond === undefined ? UNKNOWN_TEXT : endText(catchUpSeconds, backlog);
  return [
    printable(source),
    rateText(recordsPerSecond),
    bytesRateText(bytesPerSecond),
    bytesText(backlog),
    lagText(lagSeconds),
    eta === 'never' ? { text: eta, style: 'yellow' } : eta,
  ];
}

const LISTENERS: readonly TableColumn[] = [
  { title: 'LISTENER', flexible: true },
  { title: 'STATE' },
  ...['SENDERS', 'RECORDS/S', 'BYTES/S', 'DROPPED'].map((title) => ({ title, ...RIGHT })),
];

function listenerRow(report: ListenerReport, { newest, before }: TopView): readonly Cell[] {
  const { listener, state, senders, dropped } = report;
  const then =
    before?.role === 'collector'
      ? before.status.listeners?.find((each) => each.listener === listener)
      : undefined;
  const seconds = ((newest?.atMs ?? 0) - (before?.atMs ?? 0)) / 1000;
  const rate = (key: 'records' | 'bytes') => {
    const [now, earlier] = [report[key], then?.[key]];
    return now === undefined || earlier === undefined || seconds <= 0
      ? undefined
      : Math.max(0, Math.round(((now - earlier) / seconds) * 10) / 10);
  };
  const lost = dropped.noRoom + (dropped.kernel ?? 0) + (dropped.thread ?? 0);
  return [
    printable(listener),
    state === 'closed' ? { text: state, style: 'red' } : state,
    count(senders),
    rateText(rate('records')),
    bytesRateText(rate('bytes')),
    lost > 0 ? { text: count(lost), style: 'red' } : '0',
  ];
}
