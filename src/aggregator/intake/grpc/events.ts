import { defineEvents, type Reports } from '../../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../../runtime/events/metric-table.ts';

export const GRPC_METRICS = metricTable('aggregator_intake_', {
  handshakes: counter('failed_handshakes_total', 'Clients rejected by TLS'),
  closed: counter(
    'refused_connections_total',
    'Connections closed because of a limit, or of a fault in HTTP/2',
    {
      alarm:
        'rises: a limit of connections or time is reached, or peers do not speak HTTP/2; the log has the address ([wire.md](wire.md#limits))',
    },
  ),
  unfinished: gauge('unfinished_bytes', 'Bytes of messages that are not complete', {
    alarm: 'stays high: a peer begins messages and does not complete them',
  }),
});

interface Connection {
  readonly peer: string;
  readonly reason: string;
}

/**
 * One limit of log lines for all clients: a client that is rejected connects again every few seconds, from a new port.
 */
const allClients = {};

/** The events of connections that are no Publish call, or not yet. */
export const GRPC_EVENTS = defineEvents(GRPC_METRICS, (event) => ({
  /** A client failed the TLS handshake: its certificate, or the lack of one. */
  handshakeFailed: event<Connection>({
    warn: 'Rejected a client that failed the TLS handshake',
    limit: allClients,
    count: ({ handshakes }) => handshakes.inc(),
  }),
  /** A connection or a call was closed because of a limit, or because the peer breaks HTTP/2. */
  connectionClosed: event<Connection>({
    warn: 'Closed a connection',
    limit: allClients,
    count: ({ closed }) => closed.inc(),
  }),
  /** Received bytes of incomplete messages. */
  unfinished: event<{ readonly bytes: number }>({
    count: ({ unfinished }, { bytes }) => unfinished.set(bytes),
  }),
}));

export type GrpcEvents = Reports<typeof GRPC_EVENTS.definitions>;
