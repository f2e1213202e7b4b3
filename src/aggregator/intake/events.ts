import type { Amount } from '../../records/amount.ts';
import { defineEvents, type Reports } from '../../runtime/events/define-events.ts';
import { counter, gauge, metricTable } from '../../runtime/events/metric-table.ts';

export interface CallPeer {
  readonly peer: string;
  readonly collectorId?: string;
  readonly host?: string;
  readonly tlsSubject?: string;
}

export const INTAKE_METRICS = metricTable('aggregator_intake_', {
  calls: gauge('calls', 'Collectors connected now'),
  records: counter('records_total', 'Records received, repetitions included'),
  bytes: counter('bytes_total', 'Record bytes received, uncompressed, repetitions included'),
  refused: counter('refused_batches_total', 'Batches answered with a refusal'),
  broken: counter('protocol_errors_total', 'Calls ended because the peer broke the protocol'),
  finals: counter(
    'refused_finals_total',
    'Final messages for streams that their sender has not opened or does not own',
    { alarm: 'rises: a peer declares the end of streams that belong to others' },
  ),
  shared: counter('shared_identities_total', 'Calls of a collector id that two running processes use', {
    alarm: 'rises: two running collectors use one state directory or a copy of it',
  }),
  unanswered: gauge('unanswered_bytes', 'Record bytes received and not yet answered', {
    alarm: 'stays high: the disk is slow',
  }),
  stopped: gauge('stopped', '1 while intake is stopped', { alarm: 'is 1: collectors wait' }),
});

interface Reason {
  readonly reason: string;
}

interface OfStream {
  readonly stream: string;
}

/** Each address has its own limit, without the port, which differs for each connection. */
const byAddress = { party: ({ peer }: CallPeer) => peer.replace(/:\d+$/, '') };

/** A collector that restarts, or changes its address, is in the log each time. */
const calls = { ...byAddress, burst: 20 };

/** The events that all intakes have. */
export const INTAKE_EVENTS = defineEvents(INTAKE_METRICS, (event) => ({
  callBegun: event<CallPeer>({
    info: 'A collector has connected',
    limit: calls,
    count: (metrics) => metrics.calls.inc(),
  }),
  callEnded: event<CallPeer & Reason>({
    info: 'A collector has disconnected',
    limit: calls,
    count: (metrics) => metrics.calls.dec(),
  }),
  /** The call ends. The batches that were accepted before stay accepted. */
  protocolBroken: event<CallPeer & Reason>({
    warn: 'Ended a call because the peer broke the protocol',
    limit: byAddress,
    count: ({ broken }) => broken.inc(),
  }),
  batchReceived: event<Amount>({
    count: (metrics, { records, bytes }) => {
      metrics.records.inc(records);
      metrics.bytes.inc(bytes);
    },
  }),
  batchRefused: event<CallPeer & OfStream & Reason>({
    error: 'Refused a batch; its stream waits until the collector opens it again',
    limit: byAddress,
    count: ({ refused }) => refused.inc(),
  }),
  streamRefused: event<CallPeer & OfStream & Reason>({ error: 'Refused to open a stream', limit: byAddress }),
  /** A final message came from a collector that has not opened the stream, or does not own it. It is ignored. */
  finalRefused: event<CallPeer & OfStream>({
    warn: 'Ignored the final message of a collector for a stream that it has not opened',
    limit: byAddress,
    count: ({ finals }) => finals.inc(),
  }),
  /** Two running processes have one collector id. */
  sharedIdentity: event<CallPeer>({
    error:
      'Two running collectors use one collector id: one state directory is a copy of the other. Stop one of them and give it an empty state directory',
    limit: byAddress,
    count: ({ shared }) => shared.inc(),
  }),
  stopped: event<Reason>({
    error: 'Intake is stopped; collectors keep their records and wait',
    count: ({ stopped }) => stopped.set(1),
  }),
  resumed: event({ info: 'Intake accepts records again', count: ({ stopped }) => stopped.set(0) }),
  unanswered: event<{ readonly bytes: number }>({
    count: ({ unanswered }, { bytes }) => unanswered.set(bytes),
  }),
}));

export type IntakeEvents = Reports<typeof INTAKE_EVENTS.definitions>;
