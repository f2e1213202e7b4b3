import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';
import { LimitedLog } from '../../runtime/logging/limited-log.ts';

/** What happens at intake, logged and counted in one place. */
export interface IntakeEvents {
  callBegun(peer: CallPeer): void;
  callEnded(peer: CallPeer, reason: string): void;
  /** A client never came to a call: its certificate, or the lack of one. */
  handshakeFailed(peer: string, reason: string): void;
  /** The peer broke the protocol; its call ends, nothing it sent before is lost. */
  protocolBroken(peer: CallPeer, reason: string): void;
  batchReceived(records: number, bytes: number): void;
  batchRefused(peer: CallPeer, stream: string, reason: string): void;
  /** The last word on a stream came from a collector that has not opened it, or does not own it. It is ignored. */
  finalRefused(peer: CallPeer, stream: string): void;
  /** Two running processes have one collector id. */
  sharedIdentity(peer: CallPeer): void;
  /** A limit of connections is reached, or a client was too slow. */
  connectionRefused(peer: string, reason: string): void;
  streamRefused(peer: CallPeer, stream: string, reason: string): void;
  stopped(reason: string): void;
  resumed(): void;
  unanswered(bytes: number): void;
  /** Bytes of messages that have begun to come and are not complete. */
  unfinished(bytes: number): void;
  /** Writes the log lines that are held back. */
  flush(): void;
}

export interface CallPeer {
  readonly peer: string;
  readonly collectorId?: string;
  readonly host?: string;
  readonly tlsSubject?: string;
}

/** A collector that restarts, or changes between addresses, is to be seen in the log each time. */
const CALLS_BURST = 20;

export function createIntakeEvents(logger: Logger, metrics: Registry, clock: Clock): IntakeEvents {
  const registers = [metrics];
  const calls = new Gauge({ name: 'aggregator_intake_calls', help: 'Collectors connected now.', registers });
  const records = new Counter({
    name: 'aggregator_intake_records_total',
    help: 'Records received, repetitions included.',
    registers,
  });
  const bytes = new Counter({
    name: 'aggregator_intake_bytes_total',
    help: 'Record bytes received, uncompressed, repetitions included.',
    registers,
  });
  const refused = new Counter({
    name: 'aggregator_intake_refused_batches_total',
    help: 'Batches answered with a refusal.',
    registers,
  });
  const broken = new Counter({
    name: 'aggregator_intake_protocol_errors_total',
    help: 'Calls ended because the peer broke the protocol.',
    registers,
  });
  const handshakes = new Counter({
    name: 'aggregator_intake_failed_handshakes_total',
    help: 'Clients turned away by TLS.',
    registers,
  });
  const closed = new Counter({
    name: 'aggregator_intake_refused_connections_total',
    help: 'Connections closed because of a limit.',
    registers,
  });
  const finals = new Counter({
    name: 'aggregator_intake_refused_finals_total',
    help: 'Final messages for streams that their sender has not opened or does not own.',
    registers,
  });
  const shared = new Counter({
    name: 'aggregator_intake_shared_identities_total',
    help: 'Calls of a collector id that two running processes use.',
    registers,
  });
  const unfinished = new Gauge({
    name: 'aggregator_intake_unfinished_bytes',
    help: 'Bytes of messages that are not complete.',
    registers,
  });
  const limited = new LimitedLog(logger, clock);
  const calm = new LimitedLog(logger, clock, { burst: CALLS_BURST });
  const waiting = new Gauge({
    name: 'aggregator_intake_unanswered_bytes',
    help: 'Record bytes received and not yet answered.',
    registers,
  });
  const stopped = new Gauge({
    name: 'aggregator_intake_stopped',
    help: '1 while intake is stopped.',
    registers,
  });
  return {
    callBegun: (peer) => {
      calls.inc();
      calm.write({ ...by(peer), level: 'info', fields: peer, message: 'A collector has connected.' });
    },
    callEnded: (peer, reason) => {
      calls.dec();
      const fields = { ...peer, reason };
      calm.write({ ...by(peer), level: 'info', fields, message: 'A collector has disconnected.' });
    },
    handshakeFailed: (peer, reason) => {
      handshakes.inc();
      // One limit for all: a client that is rejected comes again every few seconds, from a new port.
      const message = 'A client was turned away by TLS.';
      limited.write({ level: 'warn', party: '', fields: { peer, reason }, message });
    },
    connectionRefused: (peer, reason) => {
      closed.inc();
      limited.write({
        level: 'warn',
        party: '',
        fields: { peer, reason },
        message: 'A connection was closed',
      });
    },
    protocolBroken: (peer, reason) => {
      broken.inc();
      const message = 'A peer broke the protocol; its call is ended.';
      limited.write({ ...by(peer), level: 'warn', fields: { ...peer, reason }, message });
    },
    batchReceived: (recordCount, byteCount) => {
      records.inc(recordCount);
      bytes.inc(byteCount);
    },
    batchRefused: (peer, stream, reason) => {
      refused.inc();
      const message = 'A batch was refused; its stream stops until it is tried again.';
      limited.write({ ...by(peer), level: 'error', fields: { ...peer, stream, reason }, message });
    },
    finalRefused: (peer, stream) => {
      finals.inc();
      const message = 'A collector declared the end of a stream that it has not opened; it is ignored';
      limited.write({ ...by(peer), level: 'warn', fields: { ...peer, stream }, message });
    },
    sharedIdentity: (peer) => {
      shared.inc();
      const message =
        'Two running collectors use one collector id: one state directory is a copy of the other. Stop one of them and give it an empty state directory';
      limited.write({ ...by(peer), level: 'error', fields: peer, message });
    },
    streamRefused: (peer, stream, reason) => {
      const fields = { ...peer, stream, reason };
      limited.write({ ...by(peer), level: 'error', fields, message: 'A stream was refused.' });
    },
    stopped: (reason) => {
      stopped.set(1);
      logger.error({ reason }, 'Intake is stopped; collectors keep their data and wait.');
    },
    resumed: () => {
      stopped.set(0);
      logger.info('Intake goes on.');
    },
    unanswered: (byteCount) => waiting.set(byteCount),
    unfinished: (byteCount) => unfinished.set(byteCount),
    flush: () => {
      limited.flush();
      calm.flush();
    },
  };
}

/** The address without the port, which is another one for each connection. */
function by({ peer }: CallPeer): { readonly party: string } {
  return { party: peer.replace(/:\d+$/, '') };
}
