import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../../runtime/clock.ts';
import { LimitedLog } from '../../../runtime/logging/limited-log.ts';

/** Logs and counts the events of connections that are no Publish call, or not yet. */
export interface GrpcEvents {
  /** A client failed the TLS handshake: its certificate, or the lack of one. */
  handshakeFailed(peer: string, reason: string): void;
  /** A connection or a call was closed because of a limit. */
  connectionClosed(peer: string, reason: string): void;
  /** Received bytes of incomplete messages. */
  unfinished(bytes: number): void;
  /** Writes the counts of log lines that were suppressed. */
  flush(): void;
}

/**
 * One limit of log lines for all clients: a client that is rejected connects again every few seconds, from a new port.
 */
const ALL_CLIENTS = '';

export function createGrpcEvents(logger: Logger, metrics: Registry, clock: Clock): GrpcEvents {
  const registers = [metrics];
  const handshakes = new Counter({
    name: 'aggregator_intake_failed_handshakes_total',
    help: 'Clients rejected by TLS.',
    registers,
  });
  const closed = new Counter({
    name: 'aggregator_intake_refused_connections_total',
    help: 'Connections closed because of a limit.',
    registers,
  });
  const unfinished = new Gauge({
    name: 'aggregator_intake_unfinished_bytes',
    help: 'Bytes of messages that are not complete.',
    registers,
  });
  const limited = new LimitedLog(logger, clock);
  const warn = (message: string, fields: { readonly peer: string; readonly reason: string }) =>
    limited.write({ level: 'warn', party: ALL_CLIENTS, fields, message });
  return {
    handshakeFailed: (peer, reason) => {
      handshakes.inc();
      warn('Rejected a client that failed the TLS handshake', { peer, reason });
    },
    connectionClosed: (peer, reason) => {
      closed.inc();
      warn('Closed a connection', { peer, reason });
    },
    unfinished: (bytes) => unfinished.set(bytes),
    flush: () => limited.flush(),
  };
}
