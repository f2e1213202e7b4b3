import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Logs and counts the events of a journal. */
export interface JournalEvents {
  opened(streams: number, bytes: number): void;
  size(bytes: number): void;
  committed(records: number, bytes: number): void;
  commitFailed(error: Error): void;
  lost(bytes: number): void;
  streamLosesRecords(origin: string): void;
  full(reason: string): void;
  roomAvailable(): void;
  entryLost(bytes: number, error: Error): void;
  rolledBack(origin: string): void;
  segmentRemovalFailed(segment: number, error: Error): void;
}

/** `name`: the source that the journal belongs to; part of the metrics' names. */
export function createJournalEvents(name: string, logger: Logger, metrics: Registry): JournalEvents {
  const registers = [metrics];
  const prefix = `collector_${name.replaceAll('-', '_')}_journal`;
  const counter = (what: string, help: string) =>
    new Counter({ name: `${prefix}_${what}_total`, help, registers });
  const gauge = (what: string, help: string) => new Gauge({ name: `${prefix}_${what}`, help, registers });
  const records = counter('records', 'Records flushed to the journal.');
  const bytes = counter('bytes', 'Bytes of these records.');
  const lostRecords = counter('lost_records', 'Records dropped because the journal had no room.');
  const lostBytes = counter('lost_bytes', 'Bytes of these records.');
  const failures = counter('commit_failures', 'Failed attempts to flush, which are retried.');
  const damagedBytes = counter('damaged_bytes', 'Bytes that the disk returned damaged.');
  const disk = gauge('disk_bytes', 'Bytes of segment files.');
  const full = gauge('full', '1 while records are dropped because the journal has no room.');
  return {
    opened: (streams, size) => {
      disk.set(size);
      logger.info({ journal: name, streams, sizeBytes: size }, 'Opened the journal');
    },
    size: (size) => disk.set(size),
    committed: (recordCount, byteCount) => {
      records.inc(recordCount);
      bytes.inc(byteCount);
    },
    commitFailed: (error) => {
      failures.inc();
      logger.error({ journal: name, err: error }, 'Cannot flush the journal; trying again');
    },
    lost: (byteCount) => {
      lostRecords.inc();
      lostBytes.inc(byteCount);
    },
    streamLosesRecords: (origin) => {
      logger.error({ journal: name, origin }, 'Dropping records of this origin: the journal has no room');
    },
    full: (reason) => {
      full.set(1);
      logger.error({ journal: name, reason }, 'The journal has no room; dropping and counting records');
    },
    roomAvailable: () => {
      full.set(0);
      logger.warn({ journal: name }, 'The journal has room again');
    },
    entryLost: (size, error) => {
      damagedBytes.inc(size);
      logger.error(
        { journal: name, sizeBytes: size, err: error },
        'A part of the journal is damaged; skipping it',
      );
    },
    rolledBack: (origin) => {
      logger.warn(
        { journal: name, origin },
        'The aggregator has other bytes of this stream; unaccepted records continue in a new stream',
      );
    },
    segmentRemovalFailed: (segment, error) => {
      logger.warn({ journal: name, segment, err: error }, 'Cannot remove a journal segment; trying again');
    },
  };
}
