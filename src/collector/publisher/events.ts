import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';

/** Logs and counts the events between a collector and its aggregator. */
export interface PublisherEvents {
  connected(address: string, software: string): void;
  /** This collector ended the call; all sent batches are answered, unless the deadline passed. */
  ended(address: string): void;
  /** Another process connected with this collector's id. */
  replaced(address: string): void;
  disconnected(address: string, reason: string): void;
  unreachable(address: string, reason: string): void;
  sent(records: number, bytes: number): void;
  accepted(batches: number): void;
  unanswered(bytes: number): void;
  refused(stream: string, reason: string): void;
  busy(address: string, reason: string): void;
  streamEndedOnResume(stream: string): void;
  readFailed(stream: string, error: Error): void;
}

/** Interval between warnings of the same connection failure; the publisher retries every few seconds. */
const UNREACHABLE_LOG_INTERVAL_MS = 60_000;

export function createPublisherEvents(logger: Logger, metrics: Registry, clock: Clock): PublisherEvents {
  const registers = [metrics];
  const counter = (name: string, help: string) =>
    new Counter({ name: `collector_publisher_${name}_total`, help, registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `collector_publisher_${name}`, help, registers });
  const records = counter('sent_records', 'Records sent, repetitions included.');
  const bytes = counter('sent_bytes', 'Record bytes sent, uncompressed, repetitions included.');
  const accepted = counter('accepted_batches', 'Batches that the aggregator accepted.');
  const refused = counter('refused_batches', 'Batches or streams that the aggregator rejected.');
  const connections = counter('connections', 'Established calls to an aggregator.');
  const connected = gauge('connected', '1 while an aggregator is connected.');
  const unanswered = gauge('unanswered_bytes', 'Record bytes sent and not yet answered.');
  const logged = new Map<string, { readonly reason: string; readonly atMs: number }>();
  return {
    connected: (address, software) => {
      connections.inc();
      connected.set(1);
      logged.clear();
      logger.info({ address, software }, 'Connected to the aggregator');
    },
    ended: (address) => {
      connected.set(0);
      logger.info({ address }, 'Disconnected from the aggregator');
    },
    replaced: (address) => {
      connected.set(0);
      logger.warn(
        { address },
        'Another collector connected with the id of this one; give each collector its own state directory',
      );
    },
    disconnected: (address, reason) => {
      connected.set(0);
      logger.warn(
        { address, reason },
        'The connection to the aggregator has ended; unanswered batches are sent again',
      );
    },
    unreachable: (address, reason) => {
      const atMs = clock.monotonicMs();
      const last = logged.get(address);
      if (last?.reason === reason && atMs - last.atMs < UNREACHABLE_LOG_INTERVAL_MS) return;
      logged.set(address, { reason, atMs });
      logger.warn({ address, reason }, 'Cannot reach the aggregator; records wait in files and journals');
    },
    sent: (recordCount, byteCount) => {
      records.inc(recordCount);
      bytes.inc(byteCount);
    },
    accepted: (batches) => accepted.inc(batches),
    unanswered: (byteCount) => unanswered.set(byteCount),
    refused: (stream, reason) => {
      refused.inc();
      logger.error({ stream, reason }, 'The aggregator rejected this stream; trying again hourly');
    },
    busy: (address, reason) => {
      logger.warn(
        { address, reason },
        'The aggregator accepts no records now; they wait in files and journals',
      );
    },
    streamEndedOnResume: (stream) => {
      logger.warn({ stream }, 'The aggregator has other bytes of this stream; starting a new stream');
    },
    readFailed: (stream, error) => {
      logger.error({ stream, err: error }, 'Cannot read a stream; trying again at its next wake-up');
    },
  };
}
