import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';
import { LimitedLog } from '../../runtime/logging/limited-log.ts';

/** Logs and counts the events that all intakes have. */
export interface IntakeEvents {
  callBegun(peer: CallPeer): void;
  callEnded(peer: CallPeer, reason: string): void;
  /** The call ends. The batches that were accepted before stay accepted. */
  protocolBroken(peer: CallPeer, reason: string): void;
  batchReceived(records: number, bytes: number): void;
  batchRefused(peer: CallPeer, stream: string, reason: string): void;
  streamRefused(peer: CallPeer, stream: string, reason: string): void;
  /** A final message came from a collector that has not opened the stream, or does not own it. It is ignored. */
  finalRefused(peer: CallPeer, stream: string): void;
  /** Two running processes have one collector id. */
  sharedIdentity(peer: CallPeer): void;
  stopped(reason: string): void;
  resumed(): void;
  unanswered(bytes: number): void;
  /** Writes the counts of log lines that were suppressed. */
  flush(): void;
}

export interface CallPeer {
  readonly peer: string;
  readonly collectorId?: string;
  readonly host?: string;
  readonly tlsSubject?: string;
}

/** A collector that restarts, or changes its address, is in the log each time. */
const CALLS_BURST = 20;

export function createIntakeEvents(logger: Logger, metrics: Registry, clock: Clock): IntakeEvents {
  const registers = [metrics];
  const counter = (name: string, help: string) =>
    new Counter({ name: `aggregator_intake_${name}_total`, help, registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `aggregator_intake_${name}`, help, registers });
  const calls = gauge('calls', 'Collectors connected now.');
  const records = counter('records', 'Records received, repetitions included.');
  const bytes = counter('bytes', 'Record bytes received, uncompressed, repetitions included.');
  const refused = counter('refused_batches', 'Batches answered with a refusal.');
  const broken = counter('protocol_errors', 'Calls ended because the peer broke the protocol.');
  const finals = counter(
    'refused_finals',
    'Final messages for streams that their sender has not opened or does not own.',
  );
  const shared = counter('shared_identities', 'Calls of a collector id that two running processes use.');
  const unanswered = gauge('unanswered_bytes', 'Record bytes received and not yet answered.');
  const stopped = gauge('stopped', '1 while intake is stopped.');
  const limited = new LimitedLog(logger, clock);
  const callLog = new LimitedLog(logger, clock, { burst: CALLS_BURST });
  return {
    callBegun: (peer) => {
      calls.inc();
      callLog.write({ ...by(peer), level: 'info', fields: peer, message: 'A collector has connected' });
    },
    callEnded: (peer, reason) => {
      calls.dec();
      const fields = { ...peer, reason };
      callLog.write({ ...by(peer), level: 'info', fields, message: 'A collector has disconnected' });
    },
    protocolBroken: (peer, reason) => {
      broken.inc();
      const message = 'Ended a call because the peer broke the protocol';
      limited.write({ ...by(peer), level: 'warn', fields: { ...peer, reason }, message });
    },
    batchReceived: (recordCount, byteCount) => {
      records.inc(recordCount);
      bytes.inc(byteCount);
    },
    batchRefused: (peer, stream, reason) => {
      refused.inc();
      const message = 'Refused a batch; its stream waits until the collector opens it again';
      limited.write({ ...by(peer), level: 'error', fields: { ...peer, stream, reason }, message });
    },
    streamRefused: (peer, stream, reason) => {
      const fields = { ...peer, stream, reason };
      limited.write({ ...by(peer), level: 'error', fields, message: 'Refused to open a stream' });
    },
    finalRefused: (peer, stream) => {
      finals.inc();
      const message = 'Ignored the final message of a collector for a stream that it has not opened';
      limited.write({ ...by(peer), level: 'warn', fields: { ...peer, stream }, message });
    },
    sharedIdentity: (peer) => {
      shared.inc();
      const message =
        'Two running collectors use one collector id: one state directory is a copy of the other. Stop one of them and give it an empty state directory';
      limited.write({ ...by(peer), level: 'error', fields: peer, message });
    },
    stopped: (reason) => {
      stopped.set(1);
      logger.error({ reason }, 'Intake is stopped; collectors keep their records and wait');
    },
    resumed: () => {
      stopped.set(0);
      logger.info('Intake accepts records again');
    },
    unanswered: (byteCount) => unanswered.set(byteCount),
    flush: () => {
      limited.flush();
      callLog.flush();
    },
  };
}

/** The address without the port, which differs for each connection. */
function by({ peer }: CallPeer): { readonly party: string } {
  return { party: peer.replace(/:\d+$/, '') };
}
