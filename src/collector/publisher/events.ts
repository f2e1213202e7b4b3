import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';

/** What happens between a collector and its aggregator, logged and counted in one place. */
export interface PublisherEvents {
  connected(address: string, software: string): void;
  /** We have ended the call; everything that was sent is answered, unless there was no time. */
  ended(address: string): void;
  /** Somebody else connected with our identity. */
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

/** How often the same failure to reach an address is worth a warning; it is tried every few seconds. */
const UNREACHABLE_TOLD_EVERY_MS = 60_000;

export function createPublisherEvents(logger: Logger, metrics: Registry, clock: Clock): PublisherEvents {
  const registers = [metrics];
  const counter = (name: string, help: string) =>
    new Counter({ name: `collector_publisher_${name}_total`, help, registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `collector_publisher_${name}`, help, registers });
  const records = counter('sent_records', 'Records sent, repetitions included.');
  const bytes = counter('sent_bytes', 'Record bytes sent, uncompressed, repetitions included.');
  const accepted = counter('accepted_batches', 'Batches answered with accepted.');
  const refused = counter('refused_batches', 'Batches or streams answered with a refusal.');
  const connections = counter('connections', 'Calls that were welcomed.');
  const connected = gauge('connected', '1 while an aggregator is connected.');
  const unanswered = gauge('unanswered_bytes', 'Record bytes sent and not yet answered.');
  const told = new Map<string, { readonly reason: string; readonly atMs: number }>();
  return {
    connected: (address, software) => {
      connections.inc();
      connected.set(1);
      told.clear();
      logger.info({ address, software }, 'Connected to the aggregator.');
    },
    ended: (address) => {
      connected.set(0);
      logger.info({ address }, 'Disconnected from the aggregator.');
    },
    replaced: (address) => {
      connected.set(0);
      logger.warn(
        { address },
        'Another collector has connected with the identity of this one: is its state directory a copy? Give it one of its own.',
      );
    },
    disconnected: (address, reason) => {
      connected.set(0);
      logger.warn(
        { address, reason },
        'The connection to the aggregator has ended; what was unanswered is sent again.',
      );
    },
    unreachable: (address, reason) => {
      const atMs = clock.monotonicMs();
      const last = told.get(address);
      if (last?.reason === reason && atMs - last.atMs < UNREACHABLE_TOLD_EVERY_MS) return;
      told.set(address, { reason, atMs });
      logger.warn(
        { address, reason },
        'The aggregator cannot be reached; the data waits in its files and journals.',
      );
    },
    sent: (recordCount, byteCount) => {
      records.inc(recordCount);
      bytes.inc(byteCount);
    },
    accepted: (batches) => accepted.inc(batches),
    unanswered: (byteCount) => unanswered.set(byteCount),
    refused: (stream, reason) => {
      refused.inc();
      logger.error(
        { stream, reason },
        'The aggregator refuses this stream; it stops, and is tried again hourly.',
      );
    },
    busy: (address, reason) => {
      logger.warn(
        { address, reason },
        'The aggregator takes nothing now; the data waits in its files and journals.',
      );
    },
    streamEndedOnResume: (stream) => {
      logger.warn(
        { stream },
        'The aggregator knows other bytes of this stream; it has ended and a new one begins.',
      );
    },
    readFailed: (stream, error) => {
      logger.error(
        { stream, err: error },
        'A stream could not be read; it is tried again at its next wake-up.',
      );
    },
  };
}
