import type { Resource } from './resource.ts';

/**
 * The facts about a record that are not in its bytes. A format needs them for what the bytes leave open: the
 * year of a time without a year, the zone of a time without a zone, the version of the sender.
 */
export interface RecordContext {
  readonly resource: Resource;
  /** When the collector read the record. */
  readonly observedTimeUnixNano: bigint;
  /** The attributes of the peer that sent the record, when a batch has records of several peers. */
  readonly peer?: Resource | undefined;
}
