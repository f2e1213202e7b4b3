import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';

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
  streamRefused(peer: CallPeer, stream: string, reason: string): void;
  stopped(reason: string): void;
  resumed(): void;
  unanswered(bytes: number): void;
}

export interface CallPeer {
  readonly peer: string;
  readonly collectorId?: string;
  readonly host?: string;
  readonly tlsSubject?: string;
}

/** A client that is turned away comes again every few seconds; the counter has all of them. */
const HANDSHAKES_TOLD_EVERY_MS = 60_000;

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
  let handshakeToldMs = Number.NEGATIVE_INFINITY;
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
      logger.info(peer, 'A collector has connected.');
    },
    callEnded: (peer, reason) => {
      calls.dec();
      logger.info({ ...peer, reason }, 'A collector has disconnected.');
    },
    handshakeFailed: (peer, reason) => {
      handshakes.inc();
      if (clock.monotonicMs() - handshakeToldMs < HANDSHAKES_TOLD_EVERY_MS) return;
      handshakeToldMs = clock.monotonicMs();
      logger.warn({ peer, reason }, 'A client was turned away by TLS.');
    },
    protocolBroken: (peer, reason) => {
      broken.inc();
      logger.warn({ ...peer, reason }, 'A peer broke the protocol; its call is ended.');
    },
    batchReceived: (recordCount, byteCount) => {
      records.inc(recordCount);
      bytes.inc(byteCount);
    },
    batchRefused: (peer, stream, reason) => {
      refused.inc();
      logger.error(
        { ...peer, stream, reason },
        'A batch was refused; its stream stops until it is tried again.',
      );
    },
    streamRefused: (peer, stream, reason) => {
      logger.error({ ...peer, stream, reason }, 'A stream was refused.');
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
  };
}
