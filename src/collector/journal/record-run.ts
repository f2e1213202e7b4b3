import type { PeerColumn } from '../../records/peer-column.ts';
import type { Resource } from '../../records/resource.ts';
import type { Loss } from './loss.ts';

/** Records with the same label: they become one entry of the journal. */
export interface RecordRun extends PeerColumn {
  readonly label: RecordLabel;
  readonly observedTimeUnixNano: bigint;
  readonly sizes: Uint32Array;
  readonly data: Uint8Array;
  /** The run is the record that reports this loss. */
  readonly lossReport?: Loss;
}

/** Records as columns. The bytes are valid only during the call. */
export interface AppendedRun {
  /** The records, each with its LF. */
  readonly data: Uint8Array;
  /** None is 0. */
  readonly sizes: Uint32Array;
  /** The sender of all records, or the senders. */
  readonly peer?: Resource | undefined;
  readonly peers?: readonly Resource[];
  /** For each record the index of its sender in `peers`. */
  readonly recordPeers?: Uint32Array;
}

/** Properties that records share. Compared by identity: use the same object for the same origin. */
export interface RecordLabel {
  readonly format: string;
  readonly resource: Resource;
}
