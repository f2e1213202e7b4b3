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

export interface JournalEventsOptions {
  /** The source that the journal belongs to: the label `source` of its metrics. */
  readonly name: string;
  /** The prefix of the unlabelled metrics of version 0.1.0, which are continued: `collector_x_journal`. */
  readonly unlabelledPrefix?: string | undefined;
  readonly logger: Logger;
  readonly metrics: Registry;
}

export function createJournalEvents({ name, logger, ...options }: JournalEventsOptions): JournalEvents {
  const { counter, gauge } = journalMetrics({ name, ...options });
  const records = counter('records', 'Records flushed to the journal.');
  const bytes = counter('bytes', 'Bytes of these records.');
  const lostRecords = counter('lost_records', 'Records dropped because the journal had no room.');
  const lostBytes = counter('lost_bytes', 'Bytes of these records.');
  const failures = counter('commit_failures', 'Failed attempts to flush, which are retried.');
  const damagedBytes = counter('damaged_bytes', 'Bytes that the disk returned damaged.');
  const disk = gauge('disk_bytes', 'Bytes of segment files.');
  const full = gauge('full', '1 while the journal has no room.');
  return {
    opened: (streams, size) => {
      disk(size);
      logger.info({ journal: name, streams, sizeBytes: size }, 'Opened the journal');
    },
    size: (size) => disk(size),
    committed: (recordCount, byteCount) => {
      records(recordCount);
      bytes(byteCount);
    },
    commitFailed: (error) => {
      failures(1);
      logger.error({ journal: name, err: error }, 'Cannot flush the journal; trying again');
    },
    lost: (byteCount) => {
      lostRecords(1);
      lostBytes(byteCount);
    },
    streamLosesRecords: (origin) => {
      logger.error({ journal: name, origin }, 'Dropping records of this origin: the journal has no room');
    },
    full: (reason) => {
      full(1);
      logger.error({ journal: name, reason }, 'The journal has no room; its source waits or drops records');
    },
    roomAvailable: () => {
      full(0);
      logger.warn({ journal: name }, 'The journal has room again');
    },
    entryLost: (size, error) => {
      damagedBytes(size);
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

type Metric = (value: number) => void;

/** Metrics `collector_journal_*` with the label `source`, each also under its unlabelled name. */
function journalMetrics({ name, unlabelledPrefix, metrics }: Omit<JournalEventsOptions, 'logger'>) {
  const registers = [metrics];
  const labelNames = ['source'];
  const names = (what: string) => (unlabelledPrefix === undefined ? [] : [`${unlabelledPrefix}_${what}`]);
  /** Several journals share one labelled metric. */
  const shared = <M>(metricName: string, create: () => M): M =>
    (metrics.getSingleMetric(metricName) as M | undefined) ?? create();
  return {
    counter: (what: string, help: string): Metric => {
      const labelled = shared(
        `collector_journal_${what}_total`,
        () => new Counter({ name: `collector_journal_${what}_total`, help, labelNames, registers }),
      );
      const all = [
        labelled.labels(name),
        ...names(`${what}_total`).map((each) => new Counter({ name: each, help, registers })),
      ];
      const increase: Metric = (value) => {
        for (const each of all) each.inc(value);
      };
      increase(0);
      return increase;
    },
    gauge: (what: string, help: string): Metric => {
      const labelled = shared(
        `collector_journal_${what}`,
        () => new Gauge({ name: `collector_journal_${what}`, help, labelNames, registers }),
      );
      const all = [
        labelled.labels(name),
        ...names(what).map((each) => new Gauge({ name: each, help, registers })),
      ];
      const set: Metric = (value) => {
        for (const each of all) each.set(value);
      };
      set(0);
      return set;
    },
  };
}
