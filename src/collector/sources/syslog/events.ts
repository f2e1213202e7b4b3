import { defineEvents, type Reports } from '../../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../../runtime/events/metric-table.ts';

const labels = ['listener'];

export const SYSLOG_METRICS = metricTable('collector_syslog_', {
  records: counter('records_total', 'Messages received', { labels }),
  bytes: counter('bytes_total', 'Bytes of these messages', { labels }),
  truncated: counter('truncated_records_total', 'Messages above the limit, of which a part was kept', {
    labels,
  }),
  repeated: counter('repeated_records_total', 'Messages that a RELP client sent again, marked', { labels }),
  droppedRepetitions: counter(
    'dropped_repetitions_total',
    'Messages that a RELP client sent again, and that were dropped because of their identity',
    { labels },
  ),
  garbage: counter('misframed_records_total', 'Records of bytes after a wrong message length', { labels }),
  kernelDropped: counter(
    'kernel_dropped_total',
    'UDP messages that the kernel dropped: its buffer was full',
    {
      labels,
      alarm: 'grows: messages are lost; use a larger receive buffer',
    },
  ),
  threadDropped: counter('dropped_total', 'UDP messages that were dropped because the process was too slow', {
    labels,
    alarm: 'grows: messages are lost',
  }),
  rejected: counter('rejected_total', 'Connections and UDP messages of addresses that may not send', {
    labels,
  }),
  connections: gauge('connections', 'Open connections', { labels }),
  unanswered: counter('unanswered_closed_total', 'RELP connections closed because answers were late', {
    labels,
  }),
  faults: counter('faults_total', 'Connections closed because of an error of the peer', {
    labels: ['listener', 'kind'],
  }),
  listeners: gauge('listeners', 'Open listeners'),
});

interface AtListener {
  readonly listener: string;
}

interface FromPeer extends AtListener {
  readonly peer: string;
}

/** A network of senders connects all the time: each listener logs each kind of event once in a minute. */
const byListener = { party: ({ listener }: AtListener) => listener };
const byPeer = { party: ({ listener, peer }: FromPeer) => `${listener} ${withoutPort(peer)}` };

/** Each connection has another port, so a limit for each port would limit nothing. */
function withoutPort(peer: string): string {
  return peer.replace(/^(\[.*\]|[\d.]+):\d+$/, '$1');
}

export const SYSLOG_EVENTS = defineEvents(SYSLOG_METRICS, (event) => ({
  listening: event<AtListener & { readonly address: string }>({
    info: 'Listening for syslog',
    count: ({ listeners }) => listeners.inc(),
  }),
  closed: event<AtListener>({
    info: 'Stopped listening for syslog',
    count: ({ listeners }) => listeners.dec(),
  }),
  listenFailed: event<AtListener & { readonly reason: string }>({
    error: ({ reason }) => `${reason}; trying again`,
    limit: byListener,
  }),
  /** The number of open connections of the listener. */
  connections: event<AtListener & { readonly open: number }>({
    count: ({ connections }, { listener, open }) => connections.set(open, { listener }),
  }),
  tooManyConnections: event<FromPeer>({
    warn: 'Rejected a syslog connection: the listener has its maximum number of connections',
    limit: byListener,
    count: ({ rejected }, { listener }) => rejected.inc(1, { listener }),
  }),
  notAllowed: event<FromPeer & { readonly messages: number }>({
    warn: 'Rejected a syslog sender: its address is not in the list of allowed ones',
    limit: { ...byPeer, sum: 'messages' },
    count: ({ rejected }, { listener, messages }) => rejected.inc(messages, { listener }),
  }),
  wrongPeer: event<FromPeer & { readonly kind: string; readonly found: string }>({
    warn: ({ found }) => `Closed a connection to a syslog port: the peer sent ${found}`,
    limit: byPeer,
    count: ({ faults }, { listener, kind }) => faults.inc(1, { listener, kind }),
  }),
  faulty: event<FromPeer & { readonly kind: string; readonly reason: string }>({
    warn: ({ reason }) => `Closed a RELP connection: ${reason}`,
    limit: byPeer,
    count: ({ faults }, { listener, kind }) => faults.inc(1, { listener, kind }),
  }),
  tlsFailed: event<FromPeer & { readonly reason: string }>({
    warn: 'Cannot establish a TLS connection with a syslog sender',
    limit: byPeer,
    count: ({ faults }, { listener }) => faults.inc(1, { listener, kind: 'tls' }),
  }),
  unanswered: event<FromPeer & { readonly messages: number }>({
    warn: 'Closed a RELP connection: its messages could not be stored in time; the client sends them again',
    limit: byPeer,
    count: ({ unanswered }, { listener }) => unanswered.inc(1, { listener }),
  }),
  certificateReloaded: event<AtListener>({ info: 'Loaded the new certificate of a syslog listener' }),
  certificateRejected: event<AtListener & { readonly reason: string }>({
    error: 'Cannot load the new certificate of a syslog listener; the old one is still used',
  }),
  smallReceiveBuffer: event<AtListener & { readonly bytes: number; readonly wanted: number }>({
    warn: 'The kernel granted a smaller receive buffer than configured; increase net.core.rmem_max',
  }),
  threadFailed: event<AtListener & { readonly reason: string }>({
    error: 'The thread of a UDP listener failed; starting it again',
    limit: byListener,
  }),
  kernelDropped: event<AtListener & { readonly messages: number }>({
    error: 'The kernel dropped UDP messages: the receive buffer was full',
    limit: { ...byListener, sum: 'messages' },
    count: ({ kernelDropped }, { listener, messages }) => kernelDropped.inc(messages, { listener }),
  }),
  threadDropped: event<AtListener & { readonly messages: number }>({
    error: 'Dropped UDP messages: the process could not keep up',
    limit: { ...byListener, sum: 'messages' },
    count: ({ threadDropped }, { listener, messages }) => threadDropped.inc(messages, { listener }),
  }),
  received: event<AtListener & { readonly records: number; readonly bytes: number }>({
    count: (metrics, { listener, records, bytes }) => {
      metrics.records.inc(records, { listener });
      metrics.bytes.inc(bytes, { listener });
    },
  }),
  truncated: event<AtListener>({ count: ({ truncated }, { listener }) => truncated.inc(1, { listener }) }),
  repeated: event<AtListener>({ count: ({ repeated }, { listener }) => repeated.inc(1, { listener }) }),
  droppedRepetition: event<AtListener>({
    count: ({ droppedRepetitions }, { listener }) => droppedRepetitions.inc(1, { listener }),
  }),
  misframed: event<AtListener & { readonly peer: string }>({
    warn: 'A syslog sender announced a wrong message length; the bytes after it are kept as a record',
    limit: byPeer,
    count: ({ garbage }, { listener }) => garbage.inc(1, { listener }),
  }),
}));

export type SyslogEvents = Reports<typeof SYSLOG_EVENTS.definitions>;
