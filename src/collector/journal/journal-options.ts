import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { RecordBatch } from '../../records/record-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { SegmentLog } from '../../storage/segments/segment-log.ts';
import type { FreeSpace } from '../../storage/state/free-space.ts';
import type { StateStore } from '../../storage/state/state-store.ts';
import type { Loss } from './loss.ts';
import type { RecordLabel } from './record-run.ts';

export interface JournalOptions {
  /** The source that the journal belongs to: part of directory and tables, and a label of the metrics. */
  readonly name: string;
  /** The prefix of the metrics of version 0.1.0, which have no label and are continued. */
  readonly unlabelledPrefix?: string;
  /** The collector's state directory. */
  readonly directory: string;
  readonly state: StateStore;
  readonly maxBytes: number;
  /** Creates the record that reports a loss, in the label's format. */
  readonly lossRecord: (loss: Loss, label: RecordLabel) => Uint8Array;
  /**
   * Called with the recovered entries, if there are any. It returns a function for the transaction that puts them into the
   * index: what `onStoring` had no chance to store (`isStoringRedone`). Must not throw.
   */
  readonly onRecovered?: (entries: readonly OriginEntry[]) => () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Tests replace the disk. */
  readonly freeSpace?: Pick<FreeSpace, 'check' | 'shortage'>;
  readonly openLog?: (directory: string, segmentBytes: number) => Promise<SegmentLog>;
}

/** A recovered entry. */
export interface OriginEntry {
  readonly origin: string;
  readonly entry: RecordBatch;
}
