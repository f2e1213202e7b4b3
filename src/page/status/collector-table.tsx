import type { ComponentChildren } from 'preact';
import type { CollectorReport, Listener } from '../api/status.ts';
import { DataTable, type TableColumn } from '../components/data-table.tsx';
import { AgeText, BytesText, LogText, NumberText } from '../components/texts.tsx';

export function CollectorTable({
  collectors,
}: {
  readonly collectors: readonly CollectorReport[] | undefined;
}) {
  if (collectors === undefined)
    return <p class="muted card-body">This aggregator does not list its collectors.</p>;
  if (collectors.length === 0)
    return (
      <p class="muted card-body">
        No collector has connected yet. Start one with{' '}
        <code>mega-collector collector --tail /var/log/syslog</code>.
      </p>
    );
  const listeners = collectors.flatMap((collector) =>
    (collector.listeners ?? []).map((listener) => ({ collector, listener })),
  );
  return (
    <>
      <DataTable caption="Collectors" columns={COLUMNS} rows={collectors} rowKey={({ id }) => id} />
      {listeners.length > 0 && (
        <>
          <h3 class="table-title">Listeners</h3>
          <DataTable
            caption="Listeners of the collectors"
            columns={LISTENERS}
            rows={listeners}
            rowKey={({ collector, listener }) => `${collector.id} ${listener.name}`}
          />
        </>
      )}
    </>
  );
}

const COLUMNS: readonly TableColumn<CollectorReport>[] = [
  {
    title: 'Host',
    cell: ({ host, problems = [] }) => (
      <>
        <LogText text={host} />
        {problems.map((text) => (
          <p key={text} class="warn-text">
            <LogText text={text} />
          </p>
        ))}
      </>
    ),
  },
  {
    title: 'State',
    cell: ({ connected }) =>
      connected ? (
        <span class="alert-state ok">connected</span>
      ) : (
        <span class="alert-state no-data">away</span>
      ),
  },
  { title: 'Last seen', cell: ({ lastSeen }) => <AgeText time={lastSeen} /> },
  { title: 'Version', cell: ({ version }) => <LogText text={version} /> },
  {
    title: 'Address',
    cell: ({ address }) =>
      address === 'unknown' ? <span class="muted">local</span> : <code>{address}</code>,
  },
  { title: 'Streams', isNumber: true, cell: (collector) => reported(collector, collector.streams, numberOr) },
  {
    title: 'Not yet sent',
    isNumber: true,
    cell: (collector) => reported(collector, collector.lagBytes, bytesOr),
  },
  {
    title: 'In its journal',
    isNumber: true,
    cell: (collector) => reported(collector, collector.queuedBytes, bytesOr),
  },
  {
    title: 'Lost',
    isNumber: true,
    cell: (collector) => reported(collector, collector.lostBytes, lossOfBytes),
  },
  { title: 'Accepted', isNumber: true, cell: ({ acceptedBytes }) => bytesOr(acceptedBytes) },
];

interface ListenerRow {
  readonly collector: CollectorReport;
  readonly listener: Listener;
}

const LISTENERS: readonly TableColumn<ListenerRow>[] = [
  { title: 'Host', cell: ({ collector }) => <LogText text={collector.host} /> },
  { title: 'Listener', cell: ({ listener }) => <LogText text={listener.name} /> },
  { title: 'Address', cell: ({ listener }) => <code>{listener.address ?? ''}</code> },
  { title: 'Clients', isNumber: true, cell: ({ listener }) => numberOr(listener.clients) },
  { title: 'Records', isNumber: true, cell: ({ listener }) => numberOr(listener.records) },
  { title: 'Bytes', isNumber: true, cell: ({ listener }) => bytesOr(listener.bytes) },
  { title: 'Dropped', isNumber: true, cell: ({ listener }) => lossOf(listener.dropped) },
  { title: 'Dropped by the kernel', isNumber: true, cell: ({ listener }) => lossOf(listener.kernelDropped) },
];

/** A collector of an earlier version reports nothing of its state. */
function reported(
  { reports }: CollectorReport,
  value: number | undefined,
  show: (value: number | undefined) => ComponentChildren,
): ComponentChildren {
  return show(reports === false ? undefined : value);
}

function lossOfBytes(value: number | undefined) {
  return value === undefined || value === 0 ? '0 B' : <strong class="warn-text">{bytesOr(value)}</strong>;
}

function numberOr(value: number | undefined) {
  return value === undefined ? '-' : <NumberText value={value} />;
}

function bytesOr(value: number | undefined) {
  return value === undefined ? '-' : <BytesText bytes={value} />;
}

function lossOf(value: number | undefined) {
  if (value === undefined) return '-';
  return value === 0 ? '0' : <strong class="warn-text">{numberOr(value)}</strong>;
}
