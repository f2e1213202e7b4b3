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

/** Properties that records share. Compared by identity: use the same object for the same origin. */
export interface RecordLabel {
  readonly format: string;
  readonly resource: Resource;
}
