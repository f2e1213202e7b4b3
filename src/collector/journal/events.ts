import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';

/** What happens in a journal, logged and counted in one place. */
export interface JournalEvents {
  opened(streams: number, bytes: number): void;
  size(bytes: number): void;
  committed(records: number, bytes: number): void;
  commitFailed(error: Error): void;
  lost(bytes: number): void;
  streamLoses(origin: string): void;
  full(reason: string): void;
  roomAgain(): void;
  entryLost(bytes: number, error: Error): void;
  rolledBack(origin: string): void;
  segmentStays(segment: number, error: Error): void;
}

/** `name`: the source whose journal it is; part of the metrics' names. */
export function createJournalEvents(name: string, logger: Logger, metrics: Registry): JournalEvents {
  const registers = [metrics];
  const prefix = `collector_${name.replaceAll('-', '_')}_journal`;
  const counter = (what: string, help: string) =>
    new Counter({ name: `${prefix}_${what}_total`, help, registers });
  const gauge = (what: string, help: string) => new Gauge({ name: `${prefix}_${what}`, help, registers });
  const records = counter('records', 'Records flushed to the journal.');
  const bytes = counter('bytes', 'Bytes of these records.');
  const lostRecords = counter('lost_records', 'Records that came while the journal had no room.');
  const lostBytes = counter('lost_bytes', 'Bytes of these records.');
  const failures = counter('commit_failures', 'Attempts to flush that failed and were made again.');
  const damagedBytes = counter(
    'damaged_bytes',
    'Bytes that the disk did not give back as they were written.',
  );
  const disk = gauge('disk_bytes', 'Bytes of segment files.');
  const full = gauge('full', '1 while records are dropped for want of room.');
  return {
    opened: (streams, size) => {
      disk.set(size);
      logger.info({ journal: name, streams, sizeBytes: size }, 'The journal is open.');
    },
    size: (size) => disk.set(size),
    committed: (recordCount, byteCount) => {
      records.inc(recordCount);
      bytes.inc(byteCount);
    },
    commitFailed: (error) => {
      failures.inc();
      logger.error({ journal: name, err: error }, 'The journal could not be flushed; it is tried again.');
    },
    lost: (byteCount) => {
      lostRecords.inc();
      lostBytes.inc(byteCount);
    },
    streamLoses: (origin) => {
      logger.error(
        { journal: name, origin },
        'Records of this origin are dropped: there is no room for them.',
      );
    },
    full: (reason) => {
      full.set(1);
      logger.error({ journal: name, reason }, 'The journal has no room; records are dropped and counted.');
    },
    roomAgain: () => {
      full.set(0);
      logger.warn({ journal: name }, 'The journal has room again.');
    },
    entryLost: (size, error) => {
      damagedBytes.inc(size);
      logger.error(
        { journal: name, sizeBytes: size, err: error },
        'A part of the journal is damaged and is left out.',
      );
    },
    rolledBack: (origin) => {
      logger.warn(
        { journal: name, origin },
        'The aggregator knows other bytes of this stream; what is not accepted goes on as a new one.',
      );
    },
    segmentStays: (segment, error) => {
      logger.warn(
        { journal: name, segment, err: error },
        'A journal segment could not be removed; it is tried again.',
      );
    },
  };
}
